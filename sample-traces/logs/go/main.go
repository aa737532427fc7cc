// Writes the same three events with one Go logger: slog-json, slog-text, zap-json, zap-console, logrus-json, logrus-text,
// logrus-color, zerolog, zerolog-console or klog.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"time"

	"github.com/rs/zerolog"
	"github.com/sirupsen/logrus"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"k8s.io/klog/v2"
)

const (
	trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	span  = "00f067aa0ba902b7"
)

var refused = errors.New("card refused")

func writeSlog(handler slog.Handler) {
	log := slog.New(handler).With("service", "payments", "trace_id", trace, "span_id", span)
	log.Info("charging", "order", 1002, "amount", 12.5)
	log.Warn("slow answer", "took", 180*time.Millisecond, slog.Group("card", "kind", "unusual", "tries", 2))
	log.Log(context.Background(), slog.LevelError+2, "charge failed", "err", refused)
}

func writeZap(encoder zapcore.Encoder) {
	core := zapcore.NewCore(encoder, zapcore.Lock(os.Stdout), zap.DebugLevel)
	log := zap.New(core, zap.AddCaller(), zap.AddStacktrace(zap.ErrorLevel)).With(zap.String("trace_id", trace), zap.String("span_id", span))
	log.Info("charging", zap.Int("order", 1002), zap.Float64("amount", 12.5))
	log.Named("bank").Warn("slow answer", zap.Duration("took", 180*time.Millisecond))
	log.Error("charge failed", zap.Error(refused))
}

func writeLogrus(formatter logrus.Formatter) {
	log := logrus.New()
	log.SetOutput(os.Stdout)
	log.SetFormatter(formatter)
	log.SetLevel(logrus.DebugLevel)
	entry := log.WithFields(logrus.Fields{"service": "payments", "traceID": trace, "spanID": span})
	entry.WithField("order", 1002).Info("charging")
	entry.WithField("took_ms", 180).Warn("slow answer")
	entry.WithError(refused).Error("charge failed")
}

func writeZerolog(log zerolog.Logger) {
	log = log.With().Timestamp().Str("service", "payments").Str("traceId", trace).Str("spanId", span).Logger()
	log.Info().Int("order", 1002).Float64("amount", 12.5).Msg("charging")
	log.Warn().Dur("took", 180*time.Millisecond).Msg("slow answer")
	log.Error().Err(refused).Msg("charge failed")
}

func writeKlog() {
	flags := flag.NewFlagSet("klog", flag.ExitOnError)
	klog.InitFlags(flags)
	_ = flags.Set("logtostderr", "true")
	klog.Infof("charging order 1002 trace_id=%s span_id=%s", trace, span)
	klog.InfoS("Slow answer", "order", 1002, "traceID", trace, "took", 180*time.Millisecond)
	klog.Warningf("charge failed: %v\ntried twice", refused)
	klog.ErrorS(refused, "Charge failed", "order", 1002)
	klog.Flush()
}

func main() {
	source := &slog.HandlerOptions{AddSource: true}
	console := zap.NewDevelopmentEncoderConfig()
	switch os.Args[1] {
	case "slog-json":
		writeSlog(slog.NewJSONHandler(os.Stdout, source))
	case "slog-text":
		writeSlog(slog.NewTextHandler(os.Stdout, nil))
	case "zap-json":
		writeZap(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()))
	case "zap-console":
		writeZap(zapcore.NewConsoleEncoder(console))
	case "logrus-json":
		writeLogrus(&logrus.JSONFormatter{})
	case "logrus-text":
		writeLogrus(&logrus.TextFormatter{DisableColors: true})
	case "logrus-color":
		writeLogrus(&logrus.TextFormatter{ForceColors: true})
	case "zerolog":
		writeZerolog(zerolog.New(os.Stdout))
	case "zerolog-console":
		writeZerolog(zerolog.New(zerolog.ConsoleWriter{Out: os.Stdout, TimeFormat: time.RFC3339, NoColor: true}))
	case "klog":
		writeKlog()
	}
}
