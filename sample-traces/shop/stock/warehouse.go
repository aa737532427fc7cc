package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/contrib/bridges/otelslog"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	grpccodes "google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
)

// farShelf is how long it takes to look up what stands in the second warehouse: desks do.
const farShelf = 90 * time.Millisecond

// warehouse holds a count for each product; "piano" is being counted and cannot be asked about.
type warehouse struct {
	turn   sync.Mutex
	counts map[string]int
	tracer trace.Tracer
	log    *slog.Logger
}

func newWarehouse() *warehouse {
	return &warehouse{
		counts: map[string]int{"lamp": 900, "chair": 900, "desk": 900, "carpet": 900, "antique": 1},
		tracer: otel.Tracer("stock"),
		log:    otelslog.NewLogger("stock"),
	}
}

func (w *warehouse) level(ctx context.Context, request *structpb.Struct) (*structpb.Struct, error) {
	return w.change(ctx, "ledger.read", request, 0)
}

func (w *warehouse) commit(ctx context.Context, request *structpb.Struct) (*structpb.Struct, error) {
	return w.change(ctx, "ledger.commit", request, -1)
}

// release gives back what a basket held; the count does not change, as only commit takes goods away.
func (w *warehouse) release(ctx context.Context, request *structpb.Struct) (*structpb.Struct, error) {
	return w.change(ctx, "ledger.release", request, 0)
}

// change adds to the count of a product and answers with the new one.
func (w *warehouse) change(ctx context.Context, name string, request *structpb.Struct, delta int) (*structpb.Struct, error) {
	sku := request.GetFields()["sku"].GetStringValue()
	ctx, span := w.tracer.Start(ctx, name, trace.WithAttributes(attribute.String("shop.sku", sku)))
	defer span.End()
	if sku == "desk" {
		span.AddEvent("far_shelf", trace.WithAttributes(attribute.Int("shop.warehouse", 2)))
		time.Sleep(farShelf)
	}
	count, known := w.add(sku, delta)
	if !known {
		err := status.Error(grpccodes.Unavailable, "stocktaking: "+sku+" is being counted")
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
		w.log.ErrorContext(ctx, "stock not known", "sku", sku, "operation", name)
		return nil, err
	}
	span.SetAttributes(attribute.Int("shop.stock.level", count))
	w.log.InfoContext(ctx, "stock answered", "sku", sku, "operation", name, "level", count)
	return structpb.NewStruct(map[string]any{"sku": sku, "level": count})
}

func (w *warehouse) add(sku string, delta int) (int, bool) {
	w.turn.Lock()
	defer w.turn.Unlock()
	count, known := w.counts[sku]
	if known {
		w.counts[sku] = count + delta
	}
	return w.counts[sku], known
}
