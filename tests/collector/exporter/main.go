// The OTLP receiver of the OpenTelemetry collector, connected to its X-Ray exporter, as a program for tests/collector.rs.
// It receives spans over HTTP at -otlp, and sends the segment documents of the exporter to the X-Ray API at -xray. It
// prints errors to the standard output. It ends when its standard input closes.
//
// The program is a separate module, because no version of the exporter resolves together with the receiver in the parent folder.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"os"

	"github.com/open-telemetry/opentelemetry-collector-contrib/exporter/awsxrayexporter"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/exporter/exportertest"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
	"go.opentelemetry.io/collector/receiver/receivertest"
	"go.uber.org/zap"
)

func main() {
	otlp := flag.String("otlp", "127.0.0.1:4318", "where spans are taken over HTTP")
	xray := flag.String("xray", "127.0.0.1:2000", "the X-Ray API that gets the documents")
	flag.Parse()
	if err := run(*otlp, *xray); err != nil {
		log.Fatal(err)
	}
}

func run(otlp, xray string) error {
	logging := zap.NewProductionConfig()
	logging.Level, logging.Sampling = zap.NewAtomicLevelAt(zap.WarnLevel), nil
	logging.OutputPaths, logging.DisableStacktrace = []string{"stdout"}, true
	logger, err := logging.Build()
	if err != nil {
		return err
	}
	ctx, host := context.Background(), componenttest.NewNopHost()

	exporters := awsxrayexporter.NewFactory()
	exporting := exporters.CreateDefaultConfig().(*awsxrayexporter.Config)
	// In local mode it does not look for a region and a role on the network.
	exporting.Endpoint, exporting.Region, exporting.LocalMode = "http://"+xray, "us-east-1", true
	exportSettings := exportertest.NewNopSettingsWithType(exporters.Type())
	exportSettings.Logger = logger
	exporter, err := exporters.CreateTraces(ctx, exportSettings, exporting)
	if err != nil {
		return err
	}
	if err := exporter.Start(ctx, host); err != nil {
		return err
	}

	receivers := otlpreceiver.NewFactory()
	receiving := receivers.CreateDefaultConfig().(*otlpreceiver.Config)
	receiving.GRPC, receiving.HTTP.Endpoint = nil, otlp
	receiveSettings := receivertest.NewNopSettingsWithType(receivers.Type())
	receiveSettings.Logger = logger
	receiver, err := receivers.CreateTraces(ctx, receiveSettings, receiving, exporter)
	if err != nil {
		return err
	}
	if err := receiver.Start(ctx, host); err != nil {
		return err
	}
	fmt.Println("ready")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}
