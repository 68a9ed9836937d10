package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"strconv"
	"strings"

	goSARIF "github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// sarifReport holds a report against the JSON Schema of OASIS, has go-sarif read it, and
// looks for what GitHub's code scanning asks for beyond the schema.
func sarifReport(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	read, err := goSARIF.FromBytes(text)
	if err != nil {
		return fmt.Errorf("go-sarif: %w", err)
	}
	if len(read.Runs) != 1 || read.Runs[0].Tool == nil {
		return fmt.Errorf("go-sarif reads %d runs", len(read.Runs))
	}
	return errors.Join(bySchema(text), forGitHub(text))
}

// bySchema knows the schema from the source of go-sarif, which has it as a
// constant of its own.
func bySchema(text []byte) error {
	source, err := schemaSource()
	if err != nil {
		return err
	}
	schema, err := jsonschema.UnmarshalJSON(strings.NewReader(source))
	if err != nil {
		return err
	}
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	const name = "sarif-schema-2.1.0.json"
	if err := compiler.AddResource(name, schema); err != nil {
		return err
	}
	compiled, err := compiler.Compile(name)
	if err != nil {
		return err
	}
	report, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return err
	}
	return compiled.Validate(report)
}

// schemaSource reads the constant named schema beside a function of go-sarif.
func schemaSource() (string, error) {
	f := runtime.FuncForPC(reflect.ValueOf(goSARIF.NewReport).Pointer())
	beside, _ := f.FileLine(f.Entry())
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(filepath.Dir(beside), "schema.go"), nil, 0)
	if err != nil {
		return "", fmt.Errorf("the source of go-sarif: %w", err)
	}
	var text string
	ast.Inspect(file, func(n ast.Node) bool {
		if v, ok := n.(*ast.ValueSpec); ok && v.Names[0].Name == "schema" {
			if lit, ok := v.Values[0].(*ast.BasicLit); ok {
				text, err = strconv.Unquote(lit.Value)
			}
		}
		return true
	})
	if text == "" && err == nil {
		err = errors.New("go-sarif has no schema any more")
	}
	return text, err
}

// A gitHubRun is what GitHub's documents say that it reads of a run.
type gitHubRun struct {
	Tool struct {
		Driver struct {
			Name  string
			Rules []struct {
				ID, Name         string
				ShortDescription struct{ Text string }
				FullDescription  struct{ Text string }
				Help             struct{ Text string }
				Properties       struct {
					Tags     []string
					Severity string `json:"security-severity"`
				}
			}
		}
	}
	AutomationDetails struct{ ID string }
	Results           []struct {
		RuleID    string
		RuleIndex int
		Level     string
		Message   struct{ Text string }
		Locations []struct {
			PhysicalLocation struct {
				ArtifactLocation struct{ URI string }
				Region           struct{ StartLine int }
			}
		}
		PartialFingerprints struct{ PrimaryLocationLineHash string }
	}
}

// ofURIs are the characters that RFC 3986 has for a path.
const ofURIs = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%/!$&'()*+,;=:@"

func forGitHub(text []byte) error {
	var report struct{ Runs []gitHubRun }
	if err := json.Unmarshal(text, &report); err != nil {
		return err
	}
	if len(report.Runs) != 1 {
		return fmt.Errorf("%d runs", len(report.Runs))
	}
	run := report.Runs[0]
	if n := len(run.Results); n > 25_000 {
		return fmt.Errorf("%d results", n)
	}
	if !strings.HasSuffix(run.AutomationDetails.ID, "/") {
		return fmt.Errorf("the category %q", run.AutomationDetails.ID)
	}
	for _, rule := range run.Tool.Driver.Rules {
		severity, err := strconv.ParseFloat(rule.Properties.Severity, 64)
		if err != nil || severity <= 0 || severity > 10 || len(rule.ID) > 255 || len(rule.Name) > 255 || len(rule.Properties.Tags) > 20 ||
			len(rule.ShortDescription.Text) > 1024 || len(rule.FullDescription.Text) > 1024 || rule.Help.Text == "" {
			return fmt.Errorf("the rule %+v", rule)
		}
	}
	for i, r := range run.Results {
		if len(r.Locations) != 1 || r.Message.Text == "" || r.PartialFingerprints.PrimaryLocationLineHash == "" ||
			r.RuleIndex >= len(run.Tool.Driver.Rules) || run.Tool.Driver.Rules[r.RuleIndex].ID != r.RuleID {
			return fmt.Errorf("result %d: %+v", i, r)
		}
		at := r.Locations[0].PhysicalLocation
		u, err := url.Parse(at.ArtifactLocation.URI)
		if err != nil || strings.ContainsFunc(at.ArtifactLocation.URI, func(c rune) bool { return !strings.ContainsRune(ofURIs, c) }) || u.IsAbs() || u.Host != "" || u.Path == "" || strings.HasPrefix(u.Path, "/") || at.Region.StartLine < 1 {
			return fmt.Errorf("result %d: the location %+v: %v", i, at, err)
		}
		if base := (&url.URL{Scheme: "file", Path: "/checkout/"}).ResolveReference(u); !strings.HasPrefix(base.Path, "/checkout/") {
			return fmt.Errorf("result %d: the location %s leaves the checkout", i, u)
		}
	}
	return nil
}
