// Command stock is staging's stock: it answers shop.v1.Stock over gRPC.
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

// run serves until SIGTERM, lets calls under way end, and sends the spans still held back.
func run() error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	shutdown, err := startTelemetry(context.Background())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("BIND"), os.Getenv("PORT")))
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.StatsHandler(otelgrpc.NewServerHandler()))
	server.RegisterService(&description, warehouse{})
	go func() {
		<-stop.Done()
		server.GracefulStop()
	}()
	return errors.Join(server.Serve(listener), shutdown(context.Background()))
}
