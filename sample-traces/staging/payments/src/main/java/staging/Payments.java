package staging;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.opentelemetry.instrumentation.javahttpserver.JavaHttpServerTelemetry;
import io.opentelemetry.sdk.OpenTelemetrySdk;
import io.opentelemetry.sdk.autoconfigure.AutoConfiguredOpenTelemetrySdk;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** Staging's payments: GET /charges/{order} authorises the charge of an order. It keeps no state. */
public final class Payments {
    private static final int THREADS = 16;
    private static final int SECONDS_TO_LEAVE = 3;

    private Payments() {}

    public static void main(String[] arguments) throws IOException {
        OpenTelemetrySdk telemetry = AutoConfiguredOpenTelemetrySdk.initialize().getOpenTelemetrySdk();
        Charges charges = new Charges(telemetry.getTracer("payments"));
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress(System.getenv("BIND"), port), 0);
        server.setExecutor(threads);
        JavaHttpServerTelemetry.create(telemetry)
                .configure(server.createContext("/charges/", exchange -> answer(exchange, charges)));
        server.createContext("/healthz", exchange -> send(exchange, 200, "{\"ok\":true}"));
        Runtime.getRuntime().addShutdownHook(new Thread(() -> leave(server, threads, telemetry)));
        server.start();
    }

    private static void answer(HttpExchange exchange, Charges charges) throws IOException {
        boolean reading = exchange.getRequestMethod().equals("GET") || exchange.getRequestMethod().equals("HEAD");
        if (!reading) {
            send(exchange, 405, "{\"error\":\"only GET and HEAD\"}");
            return;
        }
        String path = exchange.getRequestURI().getPath();
        send(exchange, 200, "{\"id\":\"" + charges.authorise(path.substring(path.lastIndexOf('/') + 1)) + "\"}");
    }

    private static void send(HttpExchange exchange, int status, String json) throws IOException {
        try (exchange) {
            byte[] body = json.getBytes(StandardCharsets.UTF_8);
            boolean head = exchange.getRequestMethod().equals("HEAD");
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(status, head ? -1 : body.length);
            if (!head) {
                exchange.getResponseBody().write(body);
            }
        }
    }

    /** Lets requests under way end, then sends the spans that are still held back. */
    private static void leave(HttpServer server, ExecutorService threads, OpenTelemetrySdk telemetry) {
        server.stop(0);
        threads.shutdown();
        try {
            threads.awaitTermination(SECONDS_TO_LEAVE, TimeUnit.SECONDS);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
        telemetry.shutdown().join(SECONDS_TO_LEAVE, TimeUnit.SECONDS);
    }
}
