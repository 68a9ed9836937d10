package report

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/trailseal/trailseal/verify"
)

const frozenSchema = "testdata/schema.frozen"

func parsed(t *testing.T, text string) (schema map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &schema); err != nil {
		t.Fatal(err)
	}
	return schema
}

// The schema is what was published, and only ever grows. -update takes what has
// been added, and nothing else.
func TestSchemaIsFrozen(t *testing.T) {
	frozen, err := os.ReadFile(frozenSchema)
	if os.IsNotExist(err) && *update {
		frozen, err = []byte("{}"), nil
	}
	if err != nil {
		t.Fatal(err)
	}
	if Schema == string(frozen) {
		return
	}
	if err := grows(parsed(t, string(frozen)), parsed(t, Schema), "schema"); err != nil && string(frozen) != "{}" {
		t.Fatalf("readers of %s rely on what was taken away or narrowed: %v", verify.Schema, err)
	}
	if !*update {
		t.Fatal("schema.json is not the published one: -update publishes what was added to it")
	}
	if err := os.WriteFile(frozenSchema, []byte(Schema), 0o666); err != nil {
		t.Fatal(err)
	}
}

// grows says what of an old schema is gone from a new one, or what the new one
// forbids that the old one allowed: but for new properties, new definitions, new
// words and other texts they must be the same.
func grows(before, after map[string]any, path string) error {
	names := maps.Clone(after)
	maps.Copy(names, before)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, had := before[name]
		is, has := after[name]
		at := path + "/" + name
		switch {
		case name == "description" || name == "title" || name == "$comment":
		case name == "properties" && had && has, name == "$defs" && had && has:
			if err := contains(was.(map[string]any), is.(map[string]any), at); err != nil {
				return err
			}
		case name == "enum" && had && has:
			for _, word := range was.([]any) {
				if !slices.Contains(is.([]any), word) {
					return fmt.Errorf("%s has no %v any more", at, word)
				}
			}
		case !had || !has:
			return fmt.Errorf("%s is new, or gone", at)
		default:
			if err := sameOrGrows(was, is, at); err != nil {
				return err
			}
		}
	}
	return nil
}

func contains(before, after map[string]any, path string) error {
	for _, name := range slices.Sorted(maps.Keys(before)) {
		is, ok := after[name].(map[string]any)
		if !ok {
			return fmt.Errorf("%s/%s is gone", path, name)
		}
		if err := grows(before[name].(map[string]any), is, path+"/"+name); err != nil {
			return err
		}
	}
	return nil
}

func sameOrGrows(was, is any, path string) error {
	before, ok1 := was.(map[string]any)
	after, ok2 := is.(map[string]any)
	if ok1 && ok2 {
		return grows(before, after, path)
	}
	if !reflect.DeepEqual(was, is) {
		return fmt.Errorf("%s was %v and is %v", path, was, is)
	}
	return nil
}

func TestGrows(t *testing.T) {
	for _, c := range []struct {
		old, new string
		want     bool
	}{
		{`"seq": {"$ref": "#/$defs/seq"}`, `"seq": {"$ref": "#/$defs/seq"}, "more": {"type": "string"}`, true},
		{`"remark", "unproven"`, `"remark", "worse", "unproven"`, true},
		{`of wall time`, `of time`, true},
		{`"verdict", "class", "seq"]`, `"verdict", "class", "seq", "size"]`, false},
		{`"verdict", "class", "seq"]`, `"verdict", "class"]`, false},
		{`"remark", "unproven"`, `"unproven"`, false},
		{`"versionId"`, `"version"`, false},
		{`"hole": {`, `"hollow": {`, false},
		{`"type": "number", "minimum": 0`, `"type": "integer", "minimum": 0`, false},
		{`"type": "number", "minimum": 0`, `"type": "number", "minimum": 1`, false},
		{`"type": "number", "minimum": 0`, `"type": "number", "minimum": 0, "maximum": 9`, false},
		{`"items": {"$ref": "#/$defs/file"}`, `"items": {"$ref": "#/$defs/chain"}`, false},
	} {
		changed := strings.Replace(Schema, c.old, c.new, 1)
		if changed == Schema {
			t.Errorf("there is no %s", c.old)
		}
		if err := grows(parsed(t, Schema), parsed(t, changed), ""); (err == nil) != c.want {
			t.Errorf("%s to %s: %v", c.old, c.new, err)
		}
	}
}

// fields are the members that a type has in JSON, and whether they are always
// there.
func fields(t reflect.Type) map[string]bool {
	all := map[string]bool{}
	for i := range t.NumField() {
		f := t.Field(i)
		tag, tagged := f.Tag.Lookup("json")
		name, options, _ := strings.Cut(tag, ",")
		switch {
		case !tagged && f.Anonymous:
			maps.Copy(all, fields(f.Type))
		case tagged && name != "-" && name != "":
			all[name] = !strings.Contains(options, "omitempty")
		}
	}
	return all
}

// Every member that the report's types have is in the schema, as it is in
// docs/scripting.md, and the other way round.
func TestSchemaHasEveryField(t *testing.T) {
	defs := parsed(t, Schema)["$defs"].(map[string]any)
	papers, err := os.ReadFile("../../docs/scripting.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, of := range map[string]any{
		"file": fileForm{}, "finding": findingForm{}, "chain": verify.Chain{}, "chainRef": verify.ChainRef{}, "hole": verify.Hole{},
		"share": verify.Share{}, "edge": verify.Edge{}, "key": verify.KeyUse{}, "summary": verify.Summary{}, "bytes": verify.Bytes{}, "window": windowForm{},
		"recover": verify.Recover{}, "bundle": verify.Bundle{}, "explanation": verify.Explanation{},
	} {
		def := defs[name].(map[string]any)
		properties := def["properties"].(map[string]any)
		always := map[string]bool{}
		for _, word := range def["required"].([]any) {
			always[word.(string)] = true
		}
		want := fields(reflect.TypeOf(of))
		for field, required := range want {
			if properties[field] == nil || always[field] != required {
				t.Errorf("%s.%s: in the schema %v, required %v, want %v", name, field, properties[field] != nil, always[field], required)
			}
			if !strings.Contains(string(papers), "`"+field+"`") {
				t.Errorf("docs/scripting.md says nothing of %s.%s", name, field)
			}
		}
		for field := range properties {
			if _, ok := want[field]; !ok {
				t.Errorf("%s.%s is in the schema alone", name, field)
			}
		}
	}
}

// The schema knows the words that the engine knows.
func TestSchemaHasEveryWord(t *testing.T) {
	defs := parsed(t, Schema)["$defs"].(map[string]any)
	for name, want := range map[string]any{"verdict": verify.Verdicts, "reason": verify.Reasons, "findingKind": verify.FindingKinds, "state": verify.States,
		"class": []verify.Class{verify.Good, verify.Remark, verify.ClassUnproven, verify.Tampering}} {
		if got, want := sorted(defs[name].(map[string]any)["enum"]), sorted(want); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
}

func sorted(words any) (texts []string) {
	v := reflect.ValueOf(words)
	for i := range v.Len() {
		texts = append(texts, fmt.Sprint(v.Index(i).Interface()))
	}
	slices.Sort(texts)
	return texts
}

// A report has no members that the schema does not know. (It is held against
// the schema by somebody else's validator in formats_aws_test.go.)
func TestSchemaKnowsReports(t *testing.T) {
	properties := parsed(t, Schema)["properties"].(map[string]any)
	for _, r := range runs() {
		for member := range parsed(t, play(t, "json", r)) {
			if properties[member] == nil {
				t.Errorf("%s: the schema does not know %q", r.name, member)
			}
		}
	}
}
