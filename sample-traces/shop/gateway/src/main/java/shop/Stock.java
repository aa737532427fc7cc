package shop;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import io.grpc.CallOptions;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.MethodDescriptor;
import io.grpc.protobuf.ProtoUtils;
import io.grpc.stub.ClientCalls;

/** The gRPC service shop.v1.Stock; its messages are google.protobuf.Struct. */
final class Stock {
    private static final MethodDescriptor<Struct, Struct> LEVEL = method("Level");
    private static final MethodDescriptor<Struct, Struct> COMMIT = method("Commit");
    private static final MethodDescriptor<Struct, Struct> RELEASE = method("Release");

    private final ManagedChannel channel;

    Stock(String host, int port) {
        channel = ManagedChannelBuilder.forAddress(host, port).usePlaintext().build();
    }

    long level(String sku) {
        return call(LEVEL, sku);
    }

    long commit(String sku) {
        return call(COMMIT, sku);
    }

    long release(String sku) {
        return call(RELEASE, sku);
    }

    private long call(MethodDescriptor<Struct, Struct> method, String sku) {
        Value name = Value.newBuilder().setStringValue(sku).build();
        Struct request = Struct.newBuilder().putFields("sku", name).build();
        Struct answer = ClientCalls.blockingUnaryCall(channel, method, CallOptions.DEFAULT, request);
        return (long) answer.getFieldsOrThrow("level").getNumberValue();
    }

    private static MethodDescriptor<Struct, Struct> method(String name) {
        return MethodDescriptor.<Struct, Struct>newBuilder()
                .setType(MethodDescriptor.MethodType.UNARY)
                .setFullMethodName(MethodDescriptor.generateFullMethodName("shop.v1.Stock", name))
                .setRequestMarshaller(ProtoUtils.marshaller(Struct.getDefaultInstance()))
                .setResponseMarshaller(ProtoUtils.marshaller(Struct.getDefaultInstance()))
                .build();
    }
}
