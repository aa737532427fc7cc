package staging;

import io.opentelemetry.api.baggage.Baggage;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.Tracer;
import io.opentelemetry.context.Scope;

/** Authorises charges: 3 to 9 ms of work in a span of its own, the same for the same order. */
final class Charges {
    private static final long LEAST_MICROSECONDS = 3_000;
    private static final int MORE_MICROSECONDS = 6_000;

    private final Tracer tracer;

    Charges(Tracer tracer) {
        this.tracer = tracer;
    }

    /** Returns the id of the charge: the same one for the same order, however often it is asked for. */
    String authorise(String order) {
        String customer = Baggage.current().getEntryValue("shop.customer");
        if (customer != null) {
            Span.current().setAttribute("shop.customer", customer);
        }
        Span span = tracer.spanBuilder("authorise").setAttribute("shop.order", order).startSpan();
        try (Scope ignored = span.makeCurrent()) {
            work(order);
            return "charge-" + order;
        } finally {
            span.end();
        }
    }

    private static void work(String order) {
        long micros = LEAST_MICROSECONDS + Math.floorMod(order.hashCode(), MORE_MICROSECONDS);
        try {
            Thread.sleep(micros / 1000, (int) (micros % 1000) * 1000);
        } catch (InterruptedException interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
