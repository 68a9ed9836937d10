//go:build !linux

package bundle

import "os"

// A maker makes files in one folder.
type maker struct{ folder *os.Root }

func makerOf(folder *os.Root) (maker, error) { return maker{folder}, nil }

// create makes a file that is not there yet and writes it.
func (m maker) create(name string, text []byte) error {
	return writeNew(m.folder, name, func(f *os.File) error {
		_, err := f.Write(text)
		return err
	})
}

func (m maker) close() error { return nil }
