package main

import (
	"iter"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// A configParser walks the nodes of a file and collects what is wrong.
type configParser struct {
	known map[string]setting
	names []string
	wrong *mistakes
}

func at(n *yaml.Node) place { return place{n.Line, n.Column} }

// file reads the outermost mapping.
func (p *configParser) file(root *yaml.Node, file *configFile) {
	rest, own := p.split(root, "trails")
	file.top.values = p.values(rest, "trails")
	p.oneSource(file.top)
	trails, ok := own["trails"]
	if !ok {
		return
	}
	file.hasTrails = true
	for _, name := range []string{sourceSetting, "trail"} {
		if v, ok := file.top.values[name]; ok {
			p.wrong.add(v.key, "%s goes into each of the trails, where there are trails (line %d)", name, trails.Line)
		}
	}
	p.trails(trails, file)
}

// trails reads the list of trails.
func (p *configParser) trails(list *yaml.Node, file *configFile) {
	switch {
	case list.Kind != yaml.SequenceNode:
		p.wrong.add(at(list), "trails wants a list, each with a name, and a source or a trail; this is %s", describe(list))
	case len(list.Content) == 0:
		p.wrong.add(at(list), "trails is empty: name one, or leave it out")
	case len(list.Content) > mostTrails:
		p.wrong.add(at(list.Content[mostTrails]), "more than %d trails", mostTrails)
	default:
		seen := map[string]int{}
		for _, n := range list.Content {
			if n.Kind != yaml.MappingNode {
				p.wrong.add(at(n), "each of the trails has a name, and a source or a trail; this is %s", describe(n))
				continue
			}
			s := p.trail(n)
			if first, twice := seen[s.name]; twice && s.name != "" {
				p.wrong.add(s.at, "two trails have the name %q, the first in line %d", s.name, first)
			}
			seen[s.name] = s.at.line
			file.trails = append(file.trails, s)
		}
	}
}

var trailNames = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// trail reads one of the trails.
func (p *configParser) trail(n *yaml.Node) section {
	rest, own := p.split(n, "name")
	s := section{at: at(n), values: p.values(rest, "name")}
	p.oneSource(s)
	if !p.means(rest, sourceSetting) && !p.means(rest, "trail") {
		p.wrong.add(s.at, "neither source nor trail is given: give source (s3://BUCKET[/PREFIX] or a directory), or trail (a name or ARN)")
	}
	name, ok := own["name"]
	switch {
	case !ok:
		p.wrong.add(s.at, "the trail has no name")
	case name.Kind != yaml.ScalarNode || !trailNames.MatchString(name.Value):
		p.wrong.add(at(name), "a name has letters, digits, dots, dashes and underscores, at most 64; this is %s", describe(name))
	default:
		s.name, s.at = name.Value, at(name)
	}
	return s
}

// oneSource refuses a source beside a trail.
func (p *configParser) oneSource(s section) {
	source, ok1 := s.values[sourceSetting]
	trail, ok2 := s.values["trail"]
	if !ok1 || !ok2 {
		return
	}
	later := source.key
	if later.less(trail.key) {
		later = trail.key
	}
	p.wrong.add(later, "both source and trail are given: give one")
	delete(s.values, sourceSetting) // it is told; what else is wrong is looked for
}

// split takes the keys that are no settings out of a mapping.
func (p *configParser) split(n *yaml.Node, names ...string) (rest *yaml.Node, own map[string]*yaml.Node) {
	rest, own = &yaml.Node{Kind: yaml.MappingNode}, map[string]*yaml.Node{}
	seen := map[string]int{}
	for key, val := range pairs(n) {
		if key.Kind != yaml.ScalarNode {
			p.wrong.add(at(key), "a key is a word; this is %s", describe(key))
			continue
		}
		if first, twice := seen[key.Value]; twice {
			p.wrong.add(at(key), "%s is given twice, first in line %d", short(key.Value), first)
			continue
		}
		seen[key.Value] = key.Line
		if slices.Contains(names, key.Value) {
			own[key.Value] = val
			continue
		}
		rest.Content = append(rest.Content, key, val)
	}
	return rest, own
}

// values reads settings. Others are the keys that are known besides.
func (p *configParser) values(n *yaml.Node, others ...string) map[string]value {
	all := map[string]value{}
	for key, val := range pairs(n) {
		s, ok := p.known[key.Value]
		switch {
		case ok:
			if v, ok := p.value(s, key, val); ok {
				all[s.name] = v
			}
		case key.Value == "<<":
			p.wrong.add(at(key), "keys cannot be merged from elsewhere: what is said outside trails holds for all of them")
		default:
			p.unknown(key, others)
		}
	}
	return all
}

func (p *configParser) unknown(key *yaml.Node, others []string) {
	if p.wrong.full() {
		return
	}
	if near := p.near(key.Value, others...); near != "" {
		p.wrong.add(at(key), "unknown key %s: did you mean %q?", short(key.Value), near)
		return
	}
	where := "defaults"
	if slices.Contains(others, "name") {
		where = "a trail"
	}
	p.wrong.add(at(key), "unknown key %s: %s can have the names of verify's flags, %s and %s", short(key.Value), where, sourceSetting, others[0])
}

// near is the key that is meant by one that there is not.
func (p *configParser) near(key string, others ...string) string {
	return nearest(strings.ReplaceAll(key, "_", "-"), append(slices.Clone(p.names), others...))
}

// value reads what one key is set to.
func (p *configParser) value(s setting, key, n *yaml.Node) (value, bool) {
	v := value{key: at(key), from: origin{fromFile, p.wrong.path}}
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode && s.list {
		nodes = n.Content
	}
	if len(nodes) > mostValues {
		p.wrong.add(at(n), "%s has more than %d values", s.name, mostValues)
		return v, false
	}
	for _, one := range nodes {
		if one.Kind == yaml.AliasNode {
			return v, false // which was refused already
		}
		if wrong := notPlain(s, one); wrong != "" {
			p.wrong.add(at(one), "%s %s", s.name, wrong)
			return v, false
		}
		texts := []string{one.Value}
		switch {
		case s.kind == "bool":
			texts[0] = strings.ToLower(one.Value)
		case s.kind == "stringSlice" && one == n:
			texts = splitList(one.Value)
		}
		for _, text := range texts {
			v.texts, v.places = append(v.texts, text), append(v.places, at(one))
		}
	}
	return v, true
}

// notPlain says why a node is no value of a setting.
func notPlain(s setting, n *yaml.Node) string {
	want := "one value"
	if s.list {
		want = "a value or a list of values"
	}
	switch {
	case n.Kind == yaml.ScalarNode && n.Tag == "!!null":
		return `has no value: leave it out, or write ""`
	case n.Kind != yaml.ScalarNode:
		return "wants " + want + "; this is " + describe(n)
	case s.kind == "bool" && n.Tag != "!!bool":
		return "wants true or false; this is " + describe(n)
	case strings.ContainsFunc(n.Value, unicode.IsControl):
		return "has a line break or a control character in it"
	case s.name == sourceSetting && n.Value == "":
		return "is empty"
	}
	return ""
}

// describe says what a node is, for a message.
func describe(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	}
	return "the text " + short(n.Value)
}

// short quotes a text, or its beginning.
func short(text string) string {
	if r := []rune(text[:min(len(text), 400)]); len(text) > 80 {
		return strconv.Quote(string(r[:min(len(r), 60)])) + "…"
	}
	return strconv.Quote(text)
}

// pairs are the keys and values of a mapping.
func pairs(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(*yaml.Node, *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i], n.Content[i+1]) {
				return
			}
		}
	}
}

// means reports whether a mapping has a key, or one that is taken for a
// misspelling of it.
func (p *configParser) means(n *yaml.Node, name string) bool {
	for key := range pairs(n) {
		if _, known := p.known[key.Value]; key.Value == name || !known && p.near(key.Value) == name {
			return true
		}
	}
	return false
}
