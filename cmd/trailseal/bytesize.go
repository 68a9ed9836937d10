package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// A byteSize is a flag's value in bytes: 1073741824, 1GiB, 256MiB, 500MB.
type byteSize int64

// Set reads a size. Units of 1,024 have an i, those of 1,000 have none.
func (b *byteSize) Set(text string) error {
	digits := strings.TrimRight(text, "BKMGTikmgtb ")
	unit := strings.ToLower(strings.TrimSpace(text[len(digits):]))
	factors := map[string]int64{"": 1, "b": 1,
		"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40,
		"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40}
	factor, known := factors[unit]
	n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil || !known || n <= 0 || n > math.MaxInt64/factor {
		return fmt.Errorf("want a size such as 1GiB or 256MiB")
	}
	*b = byteSize(n * factor)
	return nil
}

func (b *byteSize) String() string {
	n, units := int64(*b), []string{"", "KiB", "MiB", "GiB", "TiB"}
	i := 0
	for ; n != 0 && n%1024 == 0 && i < len(units)-1; i++ {
		n /= 1024
	}
	return strconv.FormatInt(n, 10) + units[i]
}

// Type is what help calls the value.
func (b *byteSize) Type() string { return "size" }
