// Command sink receives OTLP over HTTP and writes what the Collector's file exporter would write:
// one request a line as OTLP JSON, and for traces also protobuf with a 4-byte big-endian length.
// The bytes come from the Collector's own pdata package.
package main

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: sink ADDRESS FOLDER")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "sink:", err)
		os.Exit(1)
	}
}

// run serves until SIGTERM, then waits for requests under way and closes the files.
func run(address, folder string) error {
	files, err := openFiles(folder)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("POST /v1/traces", receive(files.traces))
	mux.Handle("POST /v1/logs", receive(files.logs))
	mux.Handle("POST /v1/metrics", receive(files.metrics))
	server := &http.Server{Addr: address, Handler: mux}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	stopped := make(chan error, 1)
	go func() {
		<-stop.Done()
		stopped <- server.Shutdown(context.Background())
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return errors.Join(<-stopped, files.close())
}

// receive answers an export request with an empty response once its data is written.
func receive(write func([]byte) error) http.Handler {
	return http.HandlerFunc(func(response http.ResponseWriter, request *http.Request) {
		body, err := readBody(request)
		if err == nil {
			err = write(body)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "sink:", request.URL.Path, err)
			http.Error(response, err.Error(), http.StatusBadRequest)
			return
		}
		response.Header().Set("Content-Type", "application/x-protobuf")
	})
}

func readBody(request *http.Request) ([]byte, error) {
	if kind := request.Header.Get("Content-Type"); kind != "application/x-protobuf" {
		return nil, fmt.Errorf("content type %q: only application/x-protobuf is recorded", kind)
	}
	if request.Header.Get("Content-Encoding") != "gzip" {
		return io.ReadAll(request.Body)
	}
	unpacked, err := gzip.NewReader(request.Body)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(unpacked)
}
