package main

import (
	"fmt"
	"time"
)

// everything is further back than any trail goes.
const everything = 60 * 365 * 24 * time.Hour

// A lookback is a flag that takes an age, or all.
type lookback time.Duration

func (l *lookback) Set(text string) error {
	if text == "all" {
		*l = lookback(everything)
		return nil
	}
	age, ok := parseAge(text)
	if !ok || age <= 0 {
		return fmt.Errorf("want an age such as 7d, 12w or 36h, or all")
	}
	*l = lookback(min(age, everything))
	return nil
}

func (l *lookback) String() string {
	const day = 24 * time.Hour
	switch age := time.Duration(*l); {
	case age >= everything:
		return "all"
	case age%day == 0:
		return fmt.Sprintf("%dd", age/day)
	default:
		return age.String()
	}
}

func (l *lookback) Type() string { return "age" }
