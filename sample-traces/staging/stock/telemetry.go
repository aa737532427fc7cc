package main

import (
	"context"
	"time"

	"go.opentelemetry.io/contrib/propagators/autoprop"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// A collector that is away costs a failed request each time, nothing more.
const patience = 2 * time.Second

// startTelemetry sets the global provider and propagator; OTEL_* variables say where to, under which name and in which format.
// The returned function sends what is still held back.
func startTelemetry(ctx context.Context) (func(context.Context) error, error) {
	spans, err := otlptracehttp.New(ctx, otlptracehttp.WithTimeout(patience),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: false}))
	if err != nil {
		return nil, err
	}
	traces := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans))
	otel.SetTracerProvider(traces)
	otel.SetTextMapPropagator(autoprop.NewTextMapPropagator())
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, patience)
		defer cancel()
		return traces.Shutdown(ctx)
	}, nil
}
