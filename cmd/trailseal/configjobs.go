package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// A job is one run of verify with all its settings.
type job struct {
	name   string // of the trail; empty where there is only this run
	at     place  // of the name
	values map[string]value
	args   []string
	cmd    *cobra.Command
}

// says is what a setting of a job that was built is, in one text.
func (j *job) says(name string) string {
	if f := j.cmd.Flags().Lookup(name); f != nil {
		return strings.Join(texts(f.Value), ",")
	}
	return ""
}

// A planner makes jobs of settings.
type planner struct {
	fresh func() *cobra.Command // a verify command, as nobody has touched it
	known []setting
	file  *configFile // nil: there is none
	flags map[string]value
	env   map[string]value
	args  []string
}

// jobs are what is to be run: what the command line names, else what the
// environment names, else the trails of the file.
func (p *planner) jobs(only []string) ([]*job, error) {
	top := map[string]value{}
	if p.file != nil {
		top = p.file.top.values
	}
	_, flagged := p.flags["trail"]
	_, envTrail := p.env["trail"]
	_, envSource := p.env[sourceSetting]
	elsewhere := without(top, sourceSetting, "trail")
	switch {
	case len(p.args) > 0 || flagged:
		if len(only) > 0 {
			return nil, usagef("--only chooses among the trails of a configuration file: no SOURCE and no --trail go with it")
		}
		env := without(p.env, sourceSetting, "trail")
		return []*job{p.job(section{}, p.args, p.flags, env, elsewhere)}, nil
	case (envTrail || envSource) && len(only) == 0:
		return []*job{p.job(section{}, nil, p.flags, p.env, elsewhere)}, nil
	case p.file == nil || !p.file.hasTrails:
		if len(only) > 0 {
			return nil, usagef("--only %q: there is no configuration file that names trails", only[0])
		}
		return []*job{p.job(section{}, nil, p.flags, p.env, top)}, nil
	}
	chosen, err := p.file.choose(only)
	if err != nil {
		return nil, err
	}
	var all []*job
	env := without(p.env, sourceSetting, "trail")
	for _, s := range chosen {
		all = append(all, p.job(s, nil, p.flags, env, s.values, top))
	}
	return all, nil
}

func (p *planner) job(s section, args []string, layers ...map[string]value) *job {
	j := &job{name: s.name, at: s.at, args: args, values: layered(layers...)}
	if v, ok := j.values[sourceSetting]; ok && len(args) == 0 {
		j.args = v.texts
	}
	return j
}

// choose are the trails that --only names, in the order of the file.
func (f *configFile) choose(only []string) ([]section, error) {
	if len(only) == 0 {
		return f.trails, nil
	}
	var names []string
	wanted := map[string]bool{}
	for _, name := range only {
		wanted[name] = true
	}
	var chosen []section
	for _, s := range f.trails {
		names = append(names, s.name)
		if wanted[s.name] {
			chosen = append(chosen, s)
			delete(wanted, s.name)
		}
	}
	for _, name := range only {
		if wanted[name] {
			return nil, suggest(usagef("--only %q: %s has no trail of that name", name, f.path), name, names)
		}
	}
	return chosen, nil
}

// check makes the command of each job and refuses, before anything is opened,
// what verify itself refuses. What a file says wrong is told with its place.
func (p *planner) check(all []*job, needSource bool) error {
	wrong := &mistakes{}
	if p.file != nil {
		wrong.path = p.file.path
	}
	return p.checkInto(wrong, all, needSource)
}

// checkInto adds to what is known to be wrong.
func (p *planner) checkInto(wrong *mistakes, all []*job, needSource bool) error {
	for _, j := range all {
		err := p.build(j, needSource)
		if err == nil {
			continue
		}
		if rest := p.blame(j, err, wrong); rest != nil {
			return rest
		}
	}
	p.checkFiles(all, wrong)
	return wrong.err()
}

// build makes the command of a job.
func (p *planner) build(j *job, needSource bool) error {
	j.cmd = p.fresh()
	for _, s := range p.known {
		v, ok := j.values[s.name]
		if !ok {
			continue
		}
		if err := apply(j.cmd, s.name, v.texts); err != nil {
			return err
		}
	}
	if _, trail := j.values["trail"]; needSource || trail || len(j.args) > 0 {
		if err := j.cmd.Args(j.cmd, j.args); err != nil {
			return err
		}
	}
	return j.cmd.PreRunE(j.cmd, j.args)
}

var flagWords = regexp.MustCompile(`--([a-z][a-z0-9-]*)`)

// blame finds the settings that an error is about, and notes those of a file
// with their places. What is not about a file's is given back.
func (p *planner) blame(j *job, err error, wrong *mistakes) error {
	said, variable := p.blameValues(j, wrong)
	if variable != nil || said[err.Error()] {
		return variable
	}
	for _, m := range flagWords.FindAllStringSubmatch(err.Error(), -1) {
		v, ok := j.values[m[1]]
		switch {
		case ok && v.from.kind == fromFile:
			wrong.add(v.key, "%s", sentence(err, j.values))
			return nil
		case ok && v.from.kind == fromEnv && variable == nil:
			variable = fromVariable(v.from.name, err)
		}
	}
	if variable != nil {
		return variable
	}
	if v, ok := j.values[sourceSetting]; ok && v.from.kind == fromFile {
		wrong.add(v.key, "%s", sentence(err, j.values))
		return nil
	}
	return err
}

// blameValues finds the values that are wrong whatever else is set. It says
// which errors of a file's it noted, or gives that of a variable.
func (p *planner) blameValues(j *job, wrong *mistakes) (said map[string]bool, variable error) {
	said = map[string]bool{}
	for _, s := range p.known {
		v, ok := j.values[s.name]
		if !ok || v.from.kind == fromFlag || p.alone(s.name, v.texts...) == nil {
			continue
		}
		for i, text := range v.texts {
			if wrong.full() {
				return said, nil
			}
			one := p.alone(s.name, text)
			switch {
			case one == nil:
			case v.from.kind == fromEnv:
				return said, fromVariable(v.from.name, one)
			default:
				said[one.Error()] = true
				wrong.add(v.places[i], "%s", sentence(one, j.values))
			}
		}
	}
	return said, nil
}

// alone asks what verify says of one setting, where nothing else is set.
func (p *planner) alone(name string, texts ...string) error {
	cmd := p.fresh()
	if err := apply(cmd, name, texts); err != nil {
		return err
	}
	return cmd.PreRunE(cmd, nil)
}

// fromVariable says that an error is about a variable, and keeps its hints.
func fromVariable(name string, err error) error {
	e := usagef("%s: %w", name, err)
	var usage *usageError
	if errors.As(err, &usage) {
		e.hints = usage.hints
	}
	return e
}

// sentence is an error with its hints in one line. It calls settings as a file
// does, but for those that are flags of the command line.
func sentence(err error, values map[string]value) string {
	text := flagWords.ReplaceAllStringFunc(err.Error(), func(flag string) string {
		if v, ok := values[flag[2:]]; ok && v.from.kind != fromFile {
			return flag
		}
		return flag[2:]
	})
	var usage *usageError
	if errors.As(err, &usage) && len(usage.hints) > 0 {
		text += " (" + strings.Join(usage.hints, "; ") + ")"
	}
	return strings.ReplaceAll(text, "\n", " ")
}

// checkFiles refuses two trails that write one file.
func (p *planner) checkFiles(all []*job, wrong *mistakes) {
	first := map[string]*job{}
	for _, j := range all {
		if j.name == "" {
			continue // it is not run beside others
		}
		for _, s := range p.known {
			v := j.values[s.name]
			for i, text := range v.texts {
				target := writes(s.name, text)
				if target == "" {
					continue
				}
				other, taken := first[target]
				if !taken {
					first[target] = j
				}
				if !taken || other == j {
					continue
				}
				where := j.at
				if v.from.kind == fromFile {
					where = v.places[i]
				}
				wrong.add(where, "%s: %q is written by the trail %s and by the trail %s; give each its own", s.name, text, other.name, j.name)
			}
		}
	}
}

// writes is the file that a setting makes verify write, if it is one that a
// second run would replace.
func writes(name, text string) string {
	switch name {
	case "output":
	case "report":
		_, text, _ = strings.Cut(text, "=")
	default:
		return ""
	}
	if text == "" || text == "-" {
		return ""
	}
	if info, err := os.Stat(text); err == nil && !info.Mode().IsRegular() {
		return ""
	}
	if real, err := filepath.EvalSymlinks(text); err == nil {
		text = real
	}
	if abs, err := filepath.Abs(text); err == nil {
		text = abs
	}
	return text
}
