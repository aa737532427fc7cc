package shop;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.logging.Level;
import java.util.logging.Logger;

/** What a customer can do. Each of the two requests asks orders once and stock once. */
final class Shop {
    private static final Logger LOG = Logger.getLogger(Shop.class.getName());

    private final ObjectMapper json = new ObjectMapper();
    private final Stock stock;
    private final Orders orders;
    private final ExecutorService threads;

    Shop(Stock stock, Orders orders, ExecutorService threads) {
        this.stock = stock;
        this.orders = orders;
        this.threads = threads;
    }

    /** Asks stock and orders at the same time; without a level the product cannot be sold. */
    Reply product(String sku) {
        CompletableFuture<Long> level = CompletableFuture.supplyAsync(() -> stock.level(sku), threads);
        CompletableFuture<Reply> offer = CompletableFuture.supplyAsync(() -> offer(sku), threads);
        CompletableFuture.allOf(level, offer).exceptionally(failure -> null).join();
        try {
            ObjectNode page = (ObjectNode) json.readTree(offer.join().body());
            return new Reply(offer.join().status(), page.put("level", level.join()).toString());
        } catch (CompletionException failure) {
            return unavailable(sku, failure.getCause());
        } catch (IOException failure) {
            throw new IllegalStateException("offer of " + sku + " is not JSON", failure);
        }
    }

    /** Places the order, then takes the goods out of stock, or gives them back if the payment failed. */
    Reply checkout(byte[] body) throws IOException, InterruptedException {
        JsonNode order = json.readTree(body);
        Reply placed = orders.place(body);
        String sku = order.get("sku").asText();
        long level = placed.status() == 201 ? stock.commit(sku) : stock.release(sku);
        LOG.info("order for " + sku + " answered with " + placed.status() + ", " + level + " left");
        return placed.status() < 500 ? placed : new Reply(502, "{\"error\":\"orders failed\"}");
    }

    private Reply offer(String sku) {
        try {
            return orders.offer(sku);
        } catch (IOException | InterruptedException failure) {
            throw new CompletionException(failure);
        }
    }

    private static Reply unavailable(String sku, Throwable failure) {
        if (failure instanceof StatusRuntimeException refused) {
            LOG.log(Level.WARNING, "no level for " + sku, refused);
            return new Reply(503, "{\"error\":\"" + refused.getStatus().getCode() + "\"}");
        }
        throw new IllegalStateException("no page for " + sku, failure);
    }
}
