package shop;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.logging.Level;
import java.util.logging.Logger;
import sun.misc.Signal;

/** The door of the shop: HTTP in, HTTP to orders, gRPC to stock. Not a line of tracing: the agent does it. */
public final class Gateway {
    private static final Logger LOG = Logger.getLogger(Gateway.class.getName());
    private static final int THREADS = 8;
    private static final int SECONDS_TO_LEAVE = 30;

    private final Shop shop;

    private Gateway(Shop shop) {
        this.shop = shop;
    }

    public static void main(String[] arguments) throws IOException {
        int port = Integer.parseInt(System.getenv("PORT"));
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        Stock stock = new Stock("127.0.0.1", Integer.parseInt(System.getenv("STOCK_PORT")));
        Orders orders = new Orders(System.getenv("ORDERS_URL"));
        Gateway gateway = new Gateway(new Shop(stock, orders, Executors.newCachedThreadPool()));
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setExecutor(threads);
        server.createContext("/product", exchange -> gateway.answer(exchange, gateway::product));
        server.createContext("/checkout", exchange -> gateway.answer(exchange, gateway::checkout));
        Signal.handle(new Signal("TERM"), signal -> leave(threads));
        server.start();
    }

    /** Lets requests under way end before the agent sends its last spans: it does so when the process exits. */
    private static void leave(ExecutorService threads) {
        threads.shutdown();
        try {
            System.exit(threads.awaitTermination(SECONDS_TO_LEAVE, TimeUnit.SECONDS) ? 0 : 1);
        } catch (InterruptedException interrupted) {
            System.exit(1);
        }
    }

    private interface Page {
        Reply of(HttpExchange exchange) throws Exception;
    }

    private Reply product(HttpExchange exchange) {
        String path = exchange.getRequestURI().getPath();
        return shop.product(path.substring(path.lastIndexOf('/') + 1));
    }

    private Reply checkout(HttpExchange exchange) throws IOException, InterruptedException {
        return shop.checkout(exchange.getRequestBody().readAllBytes());
    }

    private void answer(HttpExchange exchange, Page page) throws IOException {
        try (exchange) {
            Reply reply = reply(exchange, page);
            byte[] body = reply.body().getBytes(StandardCharsets.UTF_8);
            exchange.getResponseHeaders().set("Content-Type", "application/json");
            exchange.sendResponseHeaders(reply.status(), body.length);
            exchange.getResponseBody().write(body);
        }
    }

    private static Reply reply(HttpExchange exchange, Page page) {
        String asked = exchange.getRequestMethod() + " " + exchange.getRequestURI();
        try {
            Reply reply = page.of(exchange);
            LOG.log(reply.status() < 400 ? Level.INFO : Level.WARNING, asked + " answered with " + reply.status());
            return reply;
        } catch (Exception failure) {
            LOG.log(Level.SEVERE, asked + " failed", failure);
            return new Reply(502, "{\"error\":\"bad gateway\"}");
        }
    }
}
