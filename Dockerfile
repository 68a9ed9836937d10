# trailseal alone on an empty base: no shell, no package, nobody's password.
#   docker build -t trailseal .
#   docker run --rm -v "$PWD/copy:/data:ro" trailseal verify /data
# Pin the base image by digest where your registry mirrors it.
FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN --mount=type=cache,target=/go/pkg/mod go mod download
# With .git: Go writes the version into the binary.
COPY . .
ARG TARGETOS
ARG TARGETARCH
# The flags of .goreleaser.yaml: the binary is the one in the release archives.
RUN --mount=type=cache,target=/go/pkg/mod \
    --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -buildvcs=auto -mod=readonly -ldflags="-s -w" -o /out/trailseal ./cmd/trailseal && \
    mkdir -m 0755 /out/data && mkdir -m 1777 /out/tmp

FROM scratch
ARG VERSION=devel
ARG REVISION=unknown
LABEL org.opencontainers.image.title="trailseal" \
      org.opencontainers.image.description="Verifies AWS CloudTrail logs against the digest files that CloudTrail signed" \
      org.opencontainers.image.source="https://github.com/trailseal/trailseal" \
      org.opencontainers.image.documentation="https://github.com/trailseal/trailseal/blob/main/docs/ci.md" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.revision="$REVISION"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/ /
COPY LICENSE /LICENSE
# A user without a name, who owns nothing here. /data is for a copy of a bucket
# or for reports, whichever is mounted.
USER 65532:65532
WORKDIR /data
ENTRYPOINT ["/trailseal"]
CMD ["help"]
