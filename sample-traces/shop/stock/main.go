// Command stock keeps the shop's stock and answers over gRPC. It reads W3C trace context alone, in both
// recordings: a caller that sends only B3 loses its trace here.
package main

import (
	"context"
	"errors"
	"log"
	"net"
	"os"
	"os/signal"
	"syscall"

	"go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"
	"google.golang.org/grpc"
)

func main() {
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

// run serves until SIGTERM, lets calls under way end, and sends the telemetry still held back.
func run() error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	shutdown, err := startTelemetry(stop)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Getenv("PORT"))
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.StatsHandler(otelgrpc.NewServerHandler()))
	server.RegisterService(&description, newWarehouse())
	go func() {
		<-stop.Done()
		server.GracefulStop()
	}()
	return errors.Join(server.Serve(listener), shutdown(context.Background()))
}
