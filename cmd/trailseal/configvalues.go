package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// A setting is a flag of verify as the configuration knows it.
type setting struct {
	name string
	kind string // what pflag calls the type of its value
	list bool
}

// A sliceValue is a flag that takes several values.
type sliceValue interface {
	Replace([]string) error
	GetSlice() []string
}

// each collects what a Visit method hands out. It spares the import of pflag,
// which is cobra's dependency and not ours.
func each[F any](visit func(func(F))) []F {
	var all []F
	visit(func(f F) { all = append(all, f) })
	return all
}

// settingsOf are the flags of a command, in the order of its help.
func settingsOf(cmd *cobra.Command) []setting {
	var all []setting
	for _, f := range each(cmd.Flags().VisitAll) {
		if f.Name == "help" {
			continue
		}
		_, list := f.Value.(sliceValue)
		all = append(all, setting{f.Name, f.Value.Type(), list})
	}
	return all
}

// given are the flags that the command line has.
func given(cmd *cobra.Command) map[string]value {
	all := map[string]value{}
	for _, f := range each(cmd.Flags().VisitAll) {
		if f.Changed {
			all[f.Name] = value{texts: texts(f.Value), from: origin{fromFlag, "--" + f.Name}}
		}
	}
	return all
}

// texts are what a flag is set to, in the words that set it.
func texts(v interface{ String() string }) []string {
	if several, ok := v.(sliceValue); ok {
		return several.GetSlice()
	}
	return []string{v.String()}
}

// apply sets a flag. An empty list is what the flag is without it.
func apply(cmd *cobra.Command, name string, texts []string) error {
	f := cmd.Flags().Lookup(name)
	if f == nil {
		return fmt.Errorf("verify has no flag --%s", name)
	}
	if len(texts) == 0 {
		return nil
	}
	f.Changed = true
	if several, ok := f.Value.(sliceValue); ok {
		return several.Replace(texts)
	}
	err := f.Value.Set(texts[0])
	if err == nil {
		return nil
	}
	switch kind := f.Value.Type(); {
	case kind == "bool":
		err = fmt.Errorf("want true or false")
	case strings.HasPrefix(kind, "int") || strings.HasPrefix(kind, "uint"):
		err = fmt.Errorf("want a whole number")
	}
	return usagef("--%s does not take %q: %w", name, texts[0], err)
}

const envPrefix = "TRAILSEAL_"

// envName is the variable of a flag.
func envName(name string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// envRelease is what our CI templates call the release that they fetch.
const envRelease = envPrefix + "VERSION"

// environment reads the settings that the environment has. What looks like a
// variable of ours and is none is strange. An empty one is not set.
func environment(known []setting, environ []string) (all map[string]value, strange []string) {
	known = append(slices.Clone(known), setting{name: sourceSetting, kind: "string"})
	all = map[string]value{}
	names := []string{envName("config")}
	for _, s := range known {
		names = append(names, envName(s.name))
	}
	for _, pair := range environ {
		name, text, _ := strings.Cut(pair, "=")
		if !strings.HasPrefix(name, envPrefix) || text == "" || name == envRelease {
			continue
		}
		i := slices.Index(names, name)
		if i < 0 {
			if near := closest(name, names); near != "" {
				strange = append(strange, fmt.Sprintf("the variable %s means nothing: did you mean %s?", name, near))
			}
			continue
		}
		if i == 0 {
			continue // it names the file
		}
		s := known[i-1]
		v := value{texts: []string{text}, from: origin{fromEnv, name}}
		if s.list {
			v.texts = splitList(text)
		}
		all[s.name] = v
	}
	return all, strange
}

// closest is a name that differs by little more than a slip of the finger.
func closest(name string, names []string) string {
	for _, n := range names {
		if distance(name, n) <= max(1, (len(n)-len(envPrefix))/3) {
			return n
		}
	}
	return ""
}

// splitList reads a list in one text: a line each where there are lines, else
// separated by commas.
func splitList(text string) []string {
	separator := ","
	if strings.Contains(text, "\n") {
		separator = "\n"
	}
	var all []string
	for part := range strings.SplitSeq(text, separator) {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// without is a copy of settings that lacks some.
func without(all map[string]value, names ...string) map[string]value {
	kept := map[string]value{}
	for name, v := range all {
		if !slices.Contains(names, name) {
			kept[name] = v
		}
	}
	return kept
}

// layered takes each setting from the first layer that has it.
func layered(layers ...map[string]value) map[string]value {
	all := map[string]value{}
	for _, layer := range slices.Backward(layers) {
		for name, v := range layer {
			all[name] = v
		}
	}
	return all
}
