//! Keys that the code asks for by name: their symbols are the same in every window.

use super::texts::Symbol;

macro_rules! keys {
    ($($number:literal $name:ident $key:literal,)*) => {
        $(#[doc = concat!("`", $key, "`")] pub const $name: Symbol = Symbol($number);)*

        /// All of them, in the order of their numbers, which begin at 1.
        pub(super) const ALL: &[&str] = &[$($key,)*];
    };
}

keys! {
    1 HTTP_REQUEST_METHOD "http.request.method",
    2 HTTP_RESPONSE_STATUS_CODE "http.response.status_code",
    3 HTTP_ROUTE "http.route",
    4 HTTP_TARGET "http.target",
    5 HTTP_HOST "http.host",
    6 URL_FULL "url.full",
    7 URL_PATH "url.path",
    8 URL_QUERY "url.query",
    9 URL_TEMPLATE "url.template",
    10 URL_SCHEME "url.scheme",
    11 SERVER_ADDRESS "server.address",
    12 SERVER_PORT "server.port",
    13 CLIENT_ADDRESS "client.address",
    14 CLIENT_PORT "client.port",
    15 NET_PEER_NAME "net.peer.name",
    16 NET_PEER_PORT "net.peer.port",
    17 PEER_SERVICE "peer.service",
    18 NETWORK_PEER_ADDRESS "network.peer.address",
    19 NETWORK_PEER_PORT "network.peer.port",
    20 NETWORK_LOCAL_ADDRESS "network.local.address",
    21 NETWORK_LOCAL_PORT "network.local.port",
    22 USER_AGENT_ORIGINAL "user_agent.original",
    23 DB_SYSTEM_NAME "db.system.name",
    24 RPC_SYSTEM_NAME "rpc.system.name",
    25 RPC_SERVICE "rpc.service",
    26 RPC_METHOD "rpc.method",
    27 RPC_GRPC_STATUS_CODE "rpc.grpc.status_code",
    28 RPC_RESPONSE_STATUS_CODE "rpc.response.status_code",
    29 MESSAGING_SYSTEM "messaging.system",
    30 MESSAGING_DESTINATION_NAME "messaging.destination.name",
    31 MESSAGING_MESSAGE_ID "messaging.message.id",
    32 MESSAGING_MESSAGE_CONVERSATION_ID "messaging.message.conversation_id",
    33 MESSAGING_OPERATION_TYPE "messaging.operation.type",
    34 MESSAGING_OPERATION_NAME "messaging.operation.name",
    35 MESSAGING_CONSUMER_GROUP_NAME "messaging.consumer.group.name",
    36 MESSAGING_DESTINATION_PARTITION_ID "messaging.destination.partition.id",
    37 MESSAGING_KAFKA_DESTINATION_PARTITION "messaging.kafka.destination.partition",
    38 MESSAGING_KAFKA_OFFSET "messaging.kafka.offset",
    39 MESSAGING_BATCH_MESSAGE_COUNT "messaging.batch.message_count",
    40 THREAD_ID "thread.id",
    41 THREAD_NAME "thread.name",
    42 ERROR_TYPE "error.type",
    43 SERVICE_NAME "service.name",
    44 SERVICE_NAMESPACE "service.namespace",
    45 SERVICE_INSTANCE_ID "service.instance.id",
    46 K8S_POD_UID "k8s.pod.uid",
    47 K8S_POD_NAME "k8s.pod.name",
    48 K8S_NODE_NAME "k8s.node.name",
    49 CONTAINER_ID "container.id",
    50 HOST_ID "host.id",
    51 HOST_IP "host.ip",
    52 HOST_NAME "host.name",
    53 PROCESS_PID "process.pid",
    54 PROCESS_PARENT_PID "process.parent_pid",
    55 PROCESS_EXECUTABLE_NAME "process.executable.name",
    56 TELEMETRY_SDK_LANGUAGE "telemetry.sdk.language",
    57 TELEMETRY_SDK_VERSION "telemetry.sdk.version",
}
