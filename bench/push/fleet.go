package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"github.com/kangbyounggwan/factor/bench/rig"
	"github.com/kangbyounggwan/factor/internal/server/web/push/pushclient"
	"github.com/kangbyounggwan/factor/internal/wire"
)

// fleet is the printers' devices.
type fleet struct {
	devices []*device
	byUUID  map[string]*device
}

// device publishes a snapshot a second. Its print time is the number of the message, by which a viewer's sighting
// finds the moment when it was sent.
type device struct {
	uuid   string
	client mqtt.Client
	next   int
	sent   [4096]atomic.Int64 // Unix nanoseconds, by number
}

func newFleet(ctx context.Context, server *rig.Server, n int) (*fleet, error) {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(server.CA)
	f := &fleet{byUUID: map[string]*device{}}
	for i := range n {
		d := &device{uuid: wire.NewUUID()}
		token, err := server.Printer(ctx, d.uuid, fmt.Sprintf("Printer %d", i+1))
		if err != nil {
			return nil, err
		}
		o := mqtt.NewClientOptions().AddBroker("tls://" + server.MQTTS).SetUsername(d.uuid).SetPassword(token).
			SetTLSConfig(&tls.Config{RootCAs: roots, ServerName: "127.0.0.1"})
		d.client = mqtt.NewClient(o)
		if t := d.client.Connect(); !t.WaitTimeout(10*time.Second) || t.Error() != nil {
			return nil, fmt.Errorf("connect device %d: %w", i, t.Error())
		}
		f.devices = append(f.devices, d)
		f.byUUID[d.uuid] = d
	}
	return f, nil
}

// run has every device publish once a second, spread over the second, and waits a moment for the last ones to arrive.
func (f *fleet) run(ctx context.Context, seconds int) {
	var all sync.WaitGroup
	for i, d := range f.devices {
		all.Go(func() {
			time.Sleep(time.Duration(i) * time.Second / time.Duration(len(f.devices)))
			tick := time.NewTicker(time.Second)
			defer tick.Stop()
			for range seconds {
				d.publish()
				select {
				case <-tick.C:
				case <-ctx.Done():
					return
				}
			}
		})
	}
	all.Wait()
}

func (d *device) publish() {
	d.next++
	number, completion := float64(d.next), float64(d.next%1000)/10
	nozzle, bed, target := 209.5+float64(d.next%10)/10, 59.8+float64(d.next%5)/10, 210.0
	size, left := int64(4_000_000), 3600-number
	text, err := json.Marshal(wire.Snapshot{
		TS: float64(time.Now().UnixMilli()) / 1000, Status: wire.StatusPrinting, Interval: 1,
		State:        wire.State{Text: "Printing", Flags: map[string]bool{"operational": true, "printing": true, "paused": false, "error": false, "ready": false}},
		Progress:     wire.Progress{Completion: &completion, PrintTime: &number, TimeLeft: &left, FileSize: &size, TimeLeftOrigin: "estimate"},
		Job:          wire.Job{ID: "6f9619ff-8b86-4d01-b42d-00cf4fc964ff", File: wire.File{Name: "bracket_v7_0.2mm_PLA.gcode", Origin: "local", Path: "parts/bracket_v7_0.2mm_PLA.gcode", Size: &size}},
		Temperatures: map[string]wire.Temperature{"tool0": {Actual: &nozzle, Target: &target}, "bed": {Actual: &bed, Target: &bed}},
		Connection:   wire.Connection{State: "Printing", Port: "/dev/ttyACM0", Baudrate: 115200, Profile: wire.Profile{ID: "_default", Name: "Prusa MK4", Model: "MK4", Volume: wire.Volume{Width: 250, Depth: 210, Height: 220}, HeatedBed: true}},
	})
	if err != nil {
		panic(err) // a snapshot without NaN always has a JSON form
	}
	d.sent[d.next%len(d.sent)].Store(time.Now().UnixNano())
	d.client.Publish(wire.KindStatus.Topic(d.uuid), 0, false, text)
}

var printTime = []byte(`"print_time":`)

// seen notes how long a message took, by the number in it.
func (f *fleet) seen(m pushclient.Message, to *sightings) {
	d := f.byUUID[strings.TrimPrefix(m.Channel, "printer:")]
	i := bytes.Index(m.Data, printTime)
	if d == nil || i < 0 {
		return
	}
	digits, _, _ := bytes.Cut(m.Data[i+len(printTime):], []byte(","))
	number, err := strconv.ParseFloat(string(digits), 64)
	if err != nil {
		return
	}
	if sent := d.sent[int(number)%len(d.sent)].Load(); sent > 0 {
		to.add(m.At.Sub(time.Unix(0, sent)), m)
	}
}

func (f *fleet) close() {
	for _, d := range f.devices {
		d.client.Disconnect(0)
	}
}
