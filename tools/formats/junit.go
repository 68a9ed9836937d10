package main

import (
	"encoding/xml"
	"fmt"
	"os"
	"strings"

	"github.com/joshdk/go-junit"
)

// junitReport has go-junit read a report, and holds the counts that it makes of
// the cases against those that the suites say. What the schemas say of it,
// xsd.mjs tells.
func junitReport(path string) error {
	suites, err := junit.IngestFile(path)
	if err != nil {
		return err
	}
	if len(suites) == 0 || len(suites[0].Tests) == 0 {
		return fmt.Errorf("%d suites", len(suites))
	}
	said, err := attributes(path)
	if err != nil || len(said) != len(suites) {
		return fmt.Errorf("%d suites are read as %d: %v", len(said), len(suites), err)
	}
	names := map[string]bool{}
	for i, s := range suites {
		if t := s.Totals; said[i] != (counts{t.Tests, t.Failed, t.Error}) || said[i] == (counts{}) {
			return fmt.Errorf("the suite %q has %+v and says %+v", s.Name, t, said[i])
		}
		if s.Name == "" || len(s.Tests) == 0 || names[s.Name] {
			return fmt.Errorf("a suite %q of %d cases", s.Name, len(s.Tests))
		}
		names[s.Name] = true
		for _, c := range s.Tests {
			if c.Classname != s.Name || c.Name == "" || c.Name != strings.TrimSpace(c.Name) {
				return fmt.Errorf("a case %q of %q in the suite %q", c.Name, c.Classname, s.Name)
			}
			if c.Error != nil && strings.TrimSpace(c.Error.Error()) == "" {
				return fmt.Errorf("the case %q says nothing", c.Name)
			}
		}
	}
	return nil
}

// counts are what a suite says of itself, which go-junit does not ask for.
type counts struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
}

func attributes(path string) ([]counts, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var all struct {
		Suites []counts `xml:"testsuite"`
	}
	err = xml.Unmarshal(text, &all)
	return all.Suites, err
}
