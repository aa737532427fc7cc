package shop;

import org.apache.logging.log4j.ThreadContext;
import org.slf4j.MDC;

/** Writes the same three events with logback or log4j2. */
public final class Payments {
    private static final String TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
    private static final String SPAN = "00f067aa0ba902b7";

    private Payments() {}

    private static void refuse() {
        throw new IllegalStateException("card refused");
    }

    private static RuntimeException failure() {
        try {
            refuse();
            return null;
        } catch (IllegalStateException error) {
            return new RuntimeException("charge failed", error);
        }
    }

    private static void logback() {
        MDC.put("trace_id", TRACE);
        MDC.put("span_id", SPAN);
        var log = org.slf4j.LoggerFactory.getLogger(Payments.class);
        log.info("charging order {}", 1002);
        log.warn("slow answer of {} ms", 180);
        log.error("giving up", failure());
    }

    private static void log4j() {
        ThreadContext.put("traceId", TRACE);
        ThreadContext.put("spanId", SPAN);
        var log = org.apache.logging.log4j.LogManager.getLogger(Payments.class);
        log.info("charging order {}", 1002);
        log.warn("slow answer of {} ms", 180);
        log.error("giving up", failure());
    }

    public static void main(String[] args) {
        if (args[0].startsWith("log4j2")) {
            log4j();
        } else {
            logback();
        }
    }
}
