//go:build full

package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/moby/buildkit/client/llb"
	"github.com/moby/buildkit/client/llb/sourceresolver"
	"github.com/moby/buildkit/frontend/dockerfile/dockerfile2llb"
	"github.com/opencontainers/go-digest"
)

// anyImage stands for the registry: it has every image, with what a build from
// it needs to know.
type anyImage struct{}

func (anyImage) ResolveImageConfig(_ context.Context, ref string, _ sourceresolver.Opt) (string, digest.Digest, []byte, error) {
	config, err := json.Marshal(map[string]any{
		"architecture": "amd64", "os": "linux", "rootfs": map[string]any{"type": "layers"},
		"config": map[string]any{"Env": []string{"PATH=/usr/local/go/bin:/usr/bin:/bin"}},
	})
	return ref, digest.FromBytes(config), config, err
}

// All rules need what turns a Dockerfile into a build, and that takes a minute
// to compile.
func init() {
	lintDockerfile = func(file string, text []byte) (mistakes []string) {
		source := llb.NewSourceMap(nil, file, "Dockerfile", text)
		source.Definition = &llb.Definition{}
		opt := dockerfile2llb.ConvertOpt{SourceMap: source, MetaResolver: anyImage{}}
		found, err := dockerfile2llb.DockerfileLint(context.Background(), text, opt)
		if err != nil {
			return []string{err.Error()}
		}
		if found.Error != nil {
			mistakes = append(mistakes, found.Error.Message)
		}
		for _, w := range found.Warnings {
			mistakes = append(mistakes, fmt.Sprintf("%s: %s", w.RuleName, w.Detail))
		}
		return mistakes
	}
}
