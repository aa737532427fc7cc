package main

import (
	"context"
	"hash/fnv"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
)

// warehouse has something of everything, and keeps no state: the same question always has the same answer.
type warehouse struct{}

func (warehouse) level(ctx context.Context, request *structpb.Struct) (*structpb.Struct, error) {
	item := request.GetFields()["item"].GetStringValue()
	if item == "" {
		return nil, status.Error(codes.InvalidArgument, "no item named")
	}
	look(ctx, item)
	return structpb.NewStruct(map[string]any{"item": item, "level": float64(number(item) % 50)})
}

func (warehouse) reserve(ctx context.Context, request *structpb.Struct) (*structpb.Struct, error) {
	order := request.GetFields()["order"].GetStringValue()
	if order == "" {
		return nil, status.Error(codes.InvalidArgument, "no order named")
	}
	look(ctx, order)
	return structpb.NewStruct(map[string]any{"order": order, "shelf": float64(number(order) % 12)})
}

// look takes 1 to 4 ms, depending on what is looked for, and notes for whom.
func look(ctx context.Context, name string) {
	if customer := baggage.FromContext(ctx).Member("shop.customer").Value(); customer != "" {
		trace.SpanFromContext(ctx).SetAttributes(attribute.String("shop.customer", customer))
	}
	time.Sleep(time.Millisecond + time.Duration(number(name)%3000)*time.Microsecond)
}

func number(name string) uint32 {
	hash := fnv.New32a()
	hash.Write([]byte(name))
	return hash.Sum32()
}
