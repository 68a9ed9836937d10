package report

import (
	"errors"

	"github.com/trailseal/trailseal/verify"
)

// Tee tells several writers the same. The first error ends it.
func Tee(writers ...Writer) Writer {
	if len(writers) == 1 {
		return writers[0]
	}
	return tee(writers)
}

type tee []Writer

func (t tee) each(tell func(Writer) error) error {
	for _, w := range t {
		if err := tell(w); err != nil {
			return err
		}
	}
	return nil
}

func (t tee) Start(h verify.Header) error {
	return t.each(func(w Writer) error { return w.Start(h) })
}

func (t tee) File(f verify.File) error {
	return t.each(func(w Writer) error { return w.File(f) })
}

func (t tee) Finding(f verify.Finding) error {
	return t.each(func(w Writer) error { return w.Finding(f) })
}

func (t tee) Chain(c verify.Chain) error {
	return t.each(func(w Writer) error { return w.Chain(c) })
}

func (t tee) End(s verify.Summary) error {
	return t.each(func(w Writer) error { return w.End(s) })
}

func (t tee) Close() error {
	var err error
	for _, w := range t {
		err = errors.Join(err, w.Close())
	}
	return err
}
