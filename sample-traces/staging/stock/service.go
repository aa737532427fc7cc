package main

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/structpb"
)

// stock is the service shop.v1.Stock. Its messages are google.protobuf.Struct, so that neither side needs generated code.
type stock interface {
	level(context.Context, *structpb.Struct) (*structpb.Struct, error)
	reserve(context.Context, *structpb.Struct) (*structpb.Struct, error)
}

const serviceName = "shop.v1.Stock"

var description = grpc.ServiceDesc{
	ServiceName: serviceName,
	HandlerType: (*stock)(nil),
	Methods: []grpc.MethodDesc{
		unary("Level", stock.level),
		unary("Reserve", stock.reserve),
	},
}

type call func(stock, context.Context, *structpb.Struct) (*structpb.Struct, error)

func unary(name string, method call) grpc.MethodDesc {
	handler := func(service any, ctx context.Context, decode func(any) error, around grpc.UnaryServerInterceptor) (any, error) {
		request := new(structpb.Struct)
		if err := decode(request); err != nil {
			return nil, err
		}
		inner := func(ctx context.Context, request any) (any, error) {
			return method(service.(stock), ctx, request.(*structpb.Struct))
		}
		if around == nil {
			return inner(ctx, request)
		}
		info := &grpc.UnaryServerInfo{Server: service, FullMethod: "/" + serviceName + "/" + name}
		return around(ctx, request, info, inner)
	}
	return grpc.MethodDesc{MethodName: name, Handler: handler}
}
