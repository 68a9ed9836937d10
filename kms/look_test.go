package kms

import (
	"context"
	"io"
	"maps"
	"strings"
	"testing"
)

func TestLook(t *testing.T) {
	v1, v2, v3 := map[string]string{"x-amz-key": "a"}, map[string]string{"x-amz-key-v2": "a", "x-amz-iv": "b"}, map[string]string{"x-amz-3": "a"}
	half := map[string]string{"x-amz-c": "115", "x-amz-d": "a", "x-amz-i": "b"}
	for _, c := range []struct {
		meta        map[string]string
		head        string
		want        Scheme
		instruction bool
	}{
		{nil, "\x1f\x8b\x08\x00", Plain, false},
		{nil, "\x1f\x8b\x08\x1f", Plain, false},
		{nil, "\x1f\x8b\x08\x20", Unknown, true}, // a reserved flag
		{nil, "\x1f\x8b\x07\x00", Unknown, true}, // no method
		{nil, "\x1f\x8b", Plain, false},
		{nil, "\x1f", Plain, false},
		{nil, "", Plain, false},
		{nil, `{"Re`, Plain, false},
		{nil, " \n{\n", Plain, false},
		{nil, "\t\r\n ", Plain, false},
		{nil, "{}", Plain, false},
		{nil, "{", Plain, false},
		{nil, `[{"a`, Plain, false},
		{nil, "[]", Plain, false},
		{nil, "{\x80\x81\x82", Unknown, true},
		{nil, "{\"\x00a", Unknown, true},
		{nil, "[\"\xe9a", Unknown, true},
		{nil, "abcd", Unknown, true},
		{nil, "\x01\x80\x00\x14", ESDKv1, false},
		{nil, "\x01\x80\x03\x78", ESDKv1, false},
		{nil, "\x01\x80\x04\x78", ESDKv1, false}, // of format 2: Open says that it cannot be
		{nil, "\x01\x80\x06\x78", Unknown, true}, // format 1 gets no more
		{nil, "\x01\x81\x03\x78", Unknown, true},
		{nil, "\x02\x04\x78\x00", ESDKv2, false},
		{nil, "\x02\x05\x78\xff", ESDKv2, false},
		{nil, "\x02\x01\x78\xff", ESDKv2, false},
		{nil, "\x02\x06\x78\xff", ESDKv2, false}, // what a next one may be
		{nil, "\x02\x10\x78\xff", Unknown, true},
		{nil, "\x02\x06\x79\xff", Unknown, true},
		{nil, "\x03\x04\x78\x00", Unknown, true},
		{nil, "\x02\x04\x78", Unknown, true},
		{v1, "\x1f\x8b\x08\x00", S3ECv1, false},
		{v2, "\x1f\x8b\x08\x00", S3ECv2, false},
		{v2, "", S3ECv2, false},
		{v3, "\x02\x04\x78\x00", S3ECv3, false},
		{half, "abcd", S3ECv3, true},
		{half, "", S3ECv3, true},
		{half, `{"Re`, S3ECv3, true},
		{half, "\x1f\x8b\x08\x00", Plain, false},
		{map[string]string{"x-amz-key-v2": "", "x-amz-c": "115"}, "abcd", Unknown, true},
	} {
		got, err := Look(c.meta, []byte(c.head))
		if err != nil || got != c.want || new(Opener).NeedsInstruction(c.meta, got) != c.instruction {
			t.Errorf("%v %q: %q, %v", c.meta, c.head, got, err)
		}
	}
	for _, two := range []map[string]string{v1, v3} {
		both := maps.Clone(v2)
		maps.Copy(both, two)
		_, err := Look(both, []byte("\x1f\x8b\x08\x00"))
		if end(t, nil, err, nil, "") != Malformed {
			t.Errorf("%v: %v", both, err)
		}
		if _, err := new(Opener).Open(context.Background(), Sealed{Metadata: both, Body: strings.NewReader("x")}); !blamed(err) {
			t.Errorf("%v: %v", both, err)
		}
	}
}

func TestLookIsCheap(t *testing.T) {
	meta, head := map[string]string{"signature": "x", "signature-algorithm": "SHA256withRSA"}, []byte("\x1f\x8b\x08\x00")
	if n := testing.AllocsPerRun(100, func() { Look(meta, head) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// Every head of noise that is taken for something else is a false verdict about
// an object with an instruction file.
func TestNoiseIsSeldomText(t *testing.T) {
	taken := 0
	const n = 1 << 18
	heads := random(n * HeadBytes)
	for i := range n {
		if scheme, _ := Look(nil, heads[i*HeadBytes:(i+1)*HeadBytes]); scheme != Unknown {
			taken++
		}
	}
	if taken > 50 { // 9 are expected
		t.Errorf("%d of %d", taken, n)
	}
}

// Half a commitment, or an instruction file of another format, is no envelope.
func TestInstructionFiles(t *testing.T) {
	s := sealer{newTable()}
	meta, body := s.v3(someContext, []byte("\x1f\x8b\x08\x00"))
	half := map[string]string{"x-amz-c": "115", "x-amz-d": meta["x-amz-d"], "x-amz-i": meta["x-amz-i"]}
	inside := map[string]string{"x-amz-3": meta["x-amz-3"], "x-amz-w": "12", "x-amz-t": meta["x-amz-t"]}
	with := func(m map[string]string, name, value string) map[string]string {
		m = maps.Clone(m)
		m[name] = value
		if value == "" {
			delete(m, name)
		}
		return m
	}
	for name, c := range map[string]struct {
		meta        map[string]string
		instruction string
		want        Reason
	}{
		"right":                    {half, object(inside), different},
		"none":                     {half, "", Malformed},
		"no JSON":                  {half, "x", Malformed},
		"empty":                    {half, "{}", Malformed},
		"of format V2":             {half, `{"x-amz-key-v2":"AAAA","x-amz-iv":"AAAA"}`, Malformed},
		"suite inside":             {half, object(with(inside, "x-amz-c", "115")), Malformed},
		"commitment inside":        {with(half, "x-amz-d", ""), object(with(inside, "x-amz-d", meta["x-amz-d"])), Malformed},
		"empty message id inside":  {half, strings.Replace(object(inside), "{", `{"x-amz-i":"",`, 1), Malformed},
		"no commitment":            {with(half, "x-amz-d", ""), object(inside), Malformed},
		"no metadata":              {nil, object(inside), Malformed},
		"key twice":                {half, strings.Replace(object(inside), "{", `{"x-amz-3":"AAAA",`, 1), Malformed},
		"two formats":              {half, object(with(inside, "x-amz-key-v2", "AAAA")), Malformed},
		"nested":                   {nil, `{"x-amz-key-v2":{"x":{}}}`, Malformed},
		"deep":                     {nil, `{"x-amz-key-v2":` + strings.Repeat("[", 50000), Malformed},
		"format V1":                {nil, `{"x-amz-key":"AAAA","x-amz-iv":"AAAA"}`, MasterKeyNeeded},
		"another wrap":             {half, object(with(inside, "x-amz-w", "22")), MasterKeyNeeded},
		"a wrap of later":          {half, object(with(inside, "x-amz-w", "32")), Unsupported},
		"no wrap":                  {half, object(with(inside, "x-amz-w", "")), Malformed},
		"number for the algorithm": {half, strings.Replace(object(inside), `"12"`, `12`, 1), different},
		"long":                     {half, object(inside) + strings.Repeat(" ", mostText), Malformed},
	} {
		in := inMemoryObject(c.meta, body)
		in.Instruction = []byte(c.instruction)
		opened, err := (&Opener{KMS: s, AnyKey: true}).Open(context.Background(), in)
		if got := end(t, opened, err, body, ""); got != c.want {
			t.Errorf("%s: %s, want %s (%v)", name, got, c.want, err)
		} else if err == nil {
			io.Copy(io.Discard, opened.Body)
		}
	}
}
