module riftline.example/shop/sink

go 1.25

require go.opentelemetry.io/collector/pdata v1.70.0
