package report

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/trailseal/trailseal/verify"
)

// A htmlList is rows of a table, the worst first, as many as the page bears.
// What it holds does not grow past that either.
type htmlList struct {
	parts       [verify.Tampering + 1]htmlPart // by class
	most, bytes int
}

// A htmlPart is the rows of one class, in the order of the report.
type htmlPart struct {
	rows       spool
	told, size int // rows that there are, bytes of those that are held
}

func newHTMLList(dir string, most, bytes int) htmlList {
	l := htmlList{most: most, bytes: bytes}
	for i := range l.parts {
		l.parts[i].rows.dir = dir
	}
	return l
}

// add holds a row, one line, while rows of its class may still be printed.
func (l *htmlList) add(c verify.Class, row func() markup) error {
	p := &l.parts[c]
	if p.told++; p.told > l.most || p.size >= l.bytes {
		return nil
	}
	n, err := io.WriteString(&p.rows, string(row()))
	p.size += n
	return err
}

// told is how many rows there are.
func (l *htmlList) told() int {
	n := 0
	for i := range l.parts {
		n += l.parts[i].told
	}
	return n
}

// htmlChunk is how many rows a table of a long list has. The browser lays out only
// the tables that are in sight.
const htmlChunk = 500

// print writes the rows, what is between two tables where one is full, and gives
// how many rows it left out.
func (l *htmlList) print(page *htmlPage, between markup) (left int) {
	size, printed := 0, 0
	for c := verify.Tampering; c >= verify.Good; c-- {
		rows, err := l.parts[c].rows.reader()
		if page.err = errors.Join(page.err, err); page.err != nil {
			return 0
		}
		for lines := bufio.NewReader(rows); printed < l.most && size < l.bytes; printed++ {
			line, err := lines.ReadString('\n')
			if err == io.EOF {
				break
			}
			if err != nil {
				page.err = fmt.Errorf("reading the spooled report: %w", err)
				return 0
			}
			if printed > 0 && printed%htmlChunk == 0 {
				page.put("{}", between)
			}
			size += len(line)
			page.put("{}", markup(line)) // fillIn made it
		}
	}
	return l.told() - printed
}

func (l *htmlList) Close() error {
	var err error
	for i := range l.parts {
		err = errors.Join(err, l.parts[i].rows.Close())
	}
	return err
}
