// The X-Ray receiver of the OpenTelemetry collector as a program, for tests/collector.rs. It answers each datagram
// with one line on the standard output: the spans that the receiver makes of it, as OTLP JSON, or why it refuses it.
// With -otlp, it first sends the spans to that URL, by the collector's OTLP/HTTP exporter. It ends when its standard input closes.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/open-telemetry/opentelemetry-collector-contrib/receiver/awsxrayreceiver"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/exporter/otlphttpexporter"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
)

func main() {
	udp := flag.String("udp", "127.0.0.1:2000", "where segment documents are read")
	otlp := flag.String("otlp", "", "where spans are sent, such as http://127.0.0.1:4318")
	flag.Parse()
	if err := run(*udp, *otlp); err != nil {
		log.Fatal(err)
	}
}

// send returns an exporter that sends spans to a URL, or nil without a URL. The exporter returns when it has sent the spans.
func send(ctx context.Context, url string) (exporter.Traces, error) {
	if url == "" {
		return nil, nil
	}
	factory := otlphttpexporter.NewFactory()
	config := factory.CreateDefaultConfig().(*otlphttpexporter.Config)
	config.ClientConfig.Endpoint = url
	config.QueueConfig = configoptional.None[exporterhelper.QueueBatchConfig]()
	sender, err := factory.CreateTraces(ctx, exportertest.NewNopSettings(factory.Type()), config)
	if err != nil {
		return nil, err
	}
	return sender, sender.Start(ctx, componenttest.NewNopHost())
}

func run(udp, otlp string) error {
	factory := awsxrayreceiver.NewFactory()
	config := factory.CreateDefaultConfig().(*awsxrayreceiver.Config)
	// Nobody asks the proxy to the X-Ray API; it must not look for a region and credentials on the network.
	config.Endpoint, config.ProxyServer.Endpoint = udp, "127.0.0.1:0"
	config.ProxyServer.AWSEndpoint, config.ProxyServer.LocalMode = "http://127.0.0.1:1", true

	settings := receivertest.NewNopSettings(factory.Type())
	logging := zap.NewProductionConfig()
	logging.Level, logging.Sampling = zap.NewAtomicLevelAt(zap.WarnLevel), nil
	logging.OutputPaths, logging.DisableStacktrace = []string{"stdout"}, true
	logger, err := logging.Build()
	if err != nil {
		return err
	}
	settings.Logger = logger

	ctx := context.Background()
	sender, err := send(ctx, otlp)
	if err != nil {
		return err
	}
	printing, err := consumer.NewTraces(func(ctx context.Context, traces ptrace.Traces) error {
		if sender != nil {
			if err := sender.ConsumeTraces(ctx, traces); err != nil {
				return err
			}
		}
		line, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
		if err == nil {
			_, err = fmt.Printf("%s\n", line)
		}
		return err
	})
	if err != nil {
		return err
	}
	receiver, err := factory.CreateTraces(ctx, settings, config, printing)
	if err != nil {
		return err
	}
	if err := receiver.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
