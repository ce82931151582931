// The X-Ray receiver of the OpenTelemetry collector as a program, for tests/collector.rs. It answers each datagram
// with one line on the standard output: the spans that the receiver makes of it, as OTLP JSON, or why it refuses it.
// It ends with its standard input.
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
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
)

func main() {
	udp := flag.String("udp", "127.0.0.1:2000", "where segment documents are read")
	flag.Parse()
	if err := run(*udp); err != nil {
		log.Fatal(err)
	}
}

func run(udp string) error {
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

	printing, err := consumer.NewTraces(func(_ context.Context, traces ptrace.Traces) error {
		line, err := (&ptrace.JSONMarshaler{}).MarshalTraces(traces)
		if err == nil {
			_, err = fmt.Printf("%s\n", line)
		}
		return err
	})
	if err != nil {
		return err
	}
	ctx := context.Background()
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
