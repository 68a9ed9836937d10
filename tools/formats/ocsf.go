package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/valllabh/ocsf-schema-golang/ocsf/v1_2_0/events/findings"
	validate "github.com/valllabh/ocsf-schema-golang/ocsfvalidate/1.2"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// ocsf holds each line against the JSON Schema that schema.ocsf.io gives of its
// class, and reads it into types made of it, which know every attribute by
// name. Both are of OCSF 1.2.0, the last that is published as a package: what
// came later, and the one attribute that only a profile has which is not used
// here, is put in a form that 1.2.0 has.
func ocsf(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	for i, line := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
		if err := ocsfLine(line); err != nil {
			return fmt.Errorf("line %d: %w\n%s", i+1, err, line)
		}
	}
	return nil
}

func ocsfLine(line []byte) error {
	var event map[string]any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&event); err != nil {
		return err
	}
	var class string
	var into proto.Message
	switch fmt.Sprint(event["class_uid"]) {
	case "2003":
		class, into = "compliance_finding", &findings.ComplianceFinding{}
	case "2004":
		class, into = "detection_finding", &findings.DetectionFinding{}
	default:
		return fmt.Errorf("class %v", event["class_uid"])
	}
	if resources, ok := event["resources"].([]any); ok && class == "compliance_finding" { // since 1.3.0 there are several
		if len(resources) != 1 {
			return fmt.Errorf("%d resources", len(resources))
		}
		event["resource"] = resources[0]
		delete(event, "resources")
	}
	delete(event, "is_alert") // came later
	named, err := ocsfNames(event)
	if err != nil {
		return err
	}
	if err := (protojson.UnmarshalOptions{}).Unmarshal(named, into); err != nil {
		return fmt.Errorf("attributes: %w", err)
	}
	if class == "detection_finding" {
		event["action_id"] = 0 // required by the profile security_control
	}
	whole, err := json.Marshal(event)
	return errors.Join(err, validate.Validate(class, whole))
}

// ocsfNames is an event without the contents of those attributes that may hold
// anything.
func ocsfNames(event map[string]any) ([]byte, error) {
	copied := map[string]any{}
	for name, value := range event {
		copied[name] = value
	}
	delete(copied, "unmapped")
	if evidences, ok := event["evidences"].([]any); ok {
		var plain []any
		for _, e := range evidences {
			some := map[string]any{}
			for name, value := range e.(map[string]any) {
				if name != "data" {
					some[name] = value
				}
			}
			plain = append(plain, some)
		}
		copied["evidences"] = plain
	}
	return json.Marshal(copied)
}
