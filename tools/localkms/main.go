// Command localkms is a KMS for tests: local-kms (github.com/nsmithuk/local-kms)
// on an address of this machine. It seals with real AES-GCM, checks encryption
// contexts and refuses keys that are disabled or wait for their deletion. It
// checks no request's signature, and forgets everything when it ends.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"reflect"
	"strings"
	"syscall"

	"github.com/nsmithuk/local-kms/src/cmk"
	"github.com/nsmithuk/local-kms/src/config"
	"github.com/nsmithuk/local-kms/src/data"
	"github.com/nsmithuk/local-kms/src/handler"
	"github.com/sirupsen/logrus"
	"gopkg.in/yaml.v2"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("localkms: ")
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	var seeds []string
	address := flag.String("address", "127.0.0.1:0", "loopback `host:port` to listen on")
	flag.StringVar(&config.AWSRegion, "region", "us-east-1", "`region` of the keys")
	flag.StringVar(&config.AWSAccountId, "account", "111122223333", "`account` of the keys")
	flag.Func("key", "a symmetric key, `ID=HEX`; repeatable", func(s string) error {
		id, hex, ok := strings.Cut(s, "=")
		if !ok {
			return errors.New("want ID=HEX")
		}
		seeds = append(seeds, fmt.Sprintf("Keys: {Symmetric: {Aes: [{Metadata: {KeyId: %q}, BackingKeys: [%q]}]}}", id, hex))
		return nil
	})
	flag.Func("seed", "YAML `file` of keys, as local-kms reads it; repeatable", func(name string) error {
		text, err := os.ReadFile(name)
		seeds = append(seeds, string(text))
		return err
	})
	flag.Parse()

	dir, err := os.MkdirTemp("", "localkms-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	db := data.NewDatabase(dir)
	defer db.Close()
	for _, text := range seeds { // only now are region and account known
		if err := seed(db, text); err != nil {
			return err
		}
	}
	return serve(*address, db)
}

func seed(db *data.Database, text string) error {
	var file struct {
		Keys struct {
			Symmetric struct {
				Aes []cmk.AesKey `yaml:"Aes"`
			} `yaml:"Symmetric"`
		} `yaml:"Keys"`
	}
	if err := yaml.Unmarshal([]byte(text), &file); err != nil {
		return err
	}
	for i := range file.Keys.Symmetric.Aes {
		if err := db.SaveKey(&file.Keys.Symmetric.Aes[i]); err != nil {
			return err
		}
	}
	return nil
}

// serve answers on a loopback address until SIGTERM or an interrupt.
func serve(address string, db *data.Database) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
		l.Close()
		return fmt.Errorf("%s is not a loopback address", address)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := &http.Server{Handler: kms(db)}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// kms answers an operation with the method of local-kms that has its name.
func kms(db *data.Database) http.Handler {
	quiet := logrus.New()
	quiet.SetOutput(io.Discard)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
		if operation == "Decrypt" && !asAWS(w, r, db) {
			return
		}
		method := reflect.ValueOf(handler.NewRequestHandler(r, quiet, db)).MethodByName(operation)
		if !method.IsValid() {
			http.Error(w, "not a KMS operation that this server has", http.StatusNotImplemented)
			return
		}
		answer := method.Call(nil)[0].Interface().(handler.Response)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(answer.Code)
		io.WriteString(w, answer.Body)
	})
}
