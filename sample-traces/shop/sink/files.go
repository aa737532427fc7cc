package main

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"sync"

	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/collector/pdata/pmetric/pmetricotlp"
	"go.opentelemetry.io/collector/pdata/ptrace/ptraceotlp"
)

// files are the recordings of one run; one request is written at a time.
type files struct {
	turn                                           sync.Mutex
	traceLines, traceFrames, logLines, metricLines *os.File
}

func openFiles(folder string) (*files, error) {
	var failures error
	create := func(name string) *os.File {
		file, err := os.Create(filepath.Join(folder, name))
		failures = errors.Join(failures, err)
		return file
	}
	opened := &files{
		traceLines:  create("traces.jsonl"),
		traceFrames: create("traces.binpb"),
		logLines:    create("logs.jsonl"),
		metricLines: create("metrics.jsonl"),
	}
	return opened, failures
}

func (f *files) close() error {
	return errors.Join(f.traceLines.Close(), f.traceFrames.Close(), f.logLines.Close(), f.metricLines.Close())
}

func (f *files) traces(body []byte) error {
	request := ptraceotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return err
	}
	line, err := request.MarshalJSON()
	if err != nil {
		return err
	}
	frame, err := request.MarshalProto()
	if err != nil {
		return err
	}
	f.turn.Lock()
	defer f.turn.Unlock()
	return errors.Join(writeLine(f.traceLines, line), writeFrame(f.traceFrames, frame))
}

func (f *files) logs(body []byte) error {
	request := plogotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return err
	}
	line, err := request.MarshalJSON()
	if err != nil {
		return err
	}
	f.turn.Lock()
	defer f.turn.Unlock()
	return writeLine(f.logLines, line)
}

func (f *files) metrics(body []byte) error {
	request := pmetricotlp.NewExportRequest()
	if err := request.UnmarshalProto(body); err != nil {
		return err
	}
	line, err := request.MarshalJSON()
	if err != nil {
		return err
	}
	f.turn.Lock()
	defer f.turn.Unlock()
	return writeLine(f.metricLines, line)
}

func writeLine(file *os.File, line []byte) error {
	_, err := file.Write(append(line, '\n'))
	return err
}

// writeFrame writes the message after its length, as the file exporter does for `format: proto`.
func writeFrame(file *os.File, message []byte) error {
	frame := binary.BigEndian.AppendUint32(nil, uint32(len(message)))
	_, err := file.Write(append(frame, message...))
	return err
}
