package report

import (
	"bufio"
	"errors"
	"fmt"
	"reflect"

	"github.com/trailseal/trailseal/verify"
)

// inspectJSON streams the logs, and then writes the rest.
type inspectJSON struct {
	lineEncoder
	w       *bufio.Writer
	header  verify.Header
	started bool
	logs    int
}

func (j *inspectJSON) start() error {
	if j.started {
		return nil
	}
	j.started = true
	_, err := j.w.WriteString("{\n")
	return errors.Join(err,
		j.member("schema", verify.InspectSchema),
		j.member("tool", toolOf(j.header)),
		j.member("inspected", second(j.header.Started)),
		j.raw(`  "logs": [`))
}

func (j *inspectJSON) raw(s string) error {
	_, err := j.w.WriteString(s)
	return err
}

func (j *inspectJSON) member(name string, v any) error {
	line, err := j.encode(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(j.w, "  %q: %s,\n", name, line)
	return err
}

func (j *inspectJSON) Log(f verify.File) error {
	if err := j.start(); err != nil {
		return err
	}
	line, err := j.encode(jsonFile(f))
	if err != nil {
		return err
	}
	j.logs++
	return writeElement(j.w, j.logs == 1, line)
}

func (j *inspectJSON) End(in verify.Inspection) error {
	err := j.start()
	textsOf(reflect.ValueOf([]any{in.Object, in.Digest, in.Log}))
	end := "],\n"
	if j.logs > 0 {
		end = "\n  ],\n"
	}
	err = errors.Join(err, j.raw(end),
		j.member("uri", validUTF8(in.URI)),
		j.member("kind", validUTF8(in.Kind)))
	if in.File != nil {
		err = errors.Join(err, j.member("file", jsonFile(*in.File)))
	}
	for _, m := range []struct{ name, text string }{{"doubt", in.Doubt}, {"says", in.Says}, {"keysInCopy", in.KeysIn}} {
		if m.text != "" {
			err = errors.Join(err, j.member(m.name, validUTF8(m.text)))
		}
	}
	if in.Object != nil {
		err = errors.Join(err, j.member("object", in.Object))
	}
	if in.Digest != nil {
		err = errors.Join(err, j.member("digest", in.Digest))
	}
	if in.Log != nil {
		err = errors.Join(err, j.member("log", in.Log))
	}
	if in.Logs != nil {
		err = errors.Join(err, j.member("logsByVerdict", in.Logs))
	}
	return errors.Join(err, j.raw(fmt.Sprintf("  \"exit\": %d\n}\n", in.Exit)), j.w.Flush())
}

// textsOf makes each text of a value UTF-8, in its place, as validUTF8 does.
func textsOf(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() {
			v.SetString(validUTF8(v.String()))
		}
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			textsOf(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				textsOf(v.Field(i))
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			textsOf(v.Index(i))
		}
	}
}
