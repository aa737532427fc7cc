//! TraceQL's spanset filters: `{ resource.service.name = "orders" && duration > 100ms }`.
