package main

import (
	"context"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

const (
	driverName         = "csi.rig.snapfreeze"
	longhornDriverName = "driver.longhorn.io"
	// What csi-snapshotter adds with --extra-create-metadata.
	parameterName      = "csi.storage.k8s.io/volumesnapshot/name"
	parameterNamespace = "csi.storage.k8s.io/volumesnapshot/namespace"
)

// DiskBehaviour is how the storage treats one volume, whose name here is "namespace/claim".
type DiskBehaviour struct {
	Style  string        // csi, longhorn or old-longhorn
	Cut    time.Duration // from the call to the capture
	Reply  time.Duration // from the capture to the driver's answer: Longhorn polls, up to 7 s
	Ready  time.Duration // from then until it is ready to use
	Errors int           // interim errors before it works
	Fails  bool          // it says no, again and again
	Never  bool          // it never answers
	In1970 bool          // the storage's clock says so
	Silent bool          // it cuts, and never says so
	Live   LiveBehaviour // Longhorn: what its own API shows of it
}

// IsLonghorn tells whether its volumes are those of Longhorn's driver.
func (b DiskBehaviour) IsLonghorn() bool { return b.Style == "longhorn" || b.Style == "old-longhorn" }

// Driver is a CSI driver that snapshots, and does nothing else.
type Driver struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedControllerServer
	truth *Truth
	// claim is whose volume a handle names, "namespace/claim".
	claim func(handle string) string
	// captured is called at the instant of the cut, with what the sidecar says of the snapshot. It may fail.
	captured func(uid, snapshot, volume string) error
	longhorn *Longhorn
	backend  *Backend

	mu        sync.Mutex
	fallback  DiskBehaviour
	behaviour map[string]*DiskBehaviour
	taken     map[string]*csi.Snapshot // by name: CreateSnapshot is idempotent
	running   map[string]bool
	silent    map[string]bool // cut, by name; nobody is told
}

// NewDriver behaves in the same way to every disk, unless told otherwise.
func NewDriver(truth *Truth, fallback DiskBehaviour, claim func(string) string, captured func(uid, snapshot, volume string) error) *Driver {
	return &Driver{truth: truth, claim: claim, captured: captured, fallback: fallback, behaviour: map[string]*DiskBehaviour{},
		taken: map[string]*csi.Snapshot{}, running: map[string]bool{}, silent: map[string]bool{}}
}

// namedDriver is the driver under one of its names: each has a sidecar of its own.
type namedDriver struct {
	*Driver
	name string
}

// Serve listens on a Unix socket until the context ends.
func (d *Driver) Serve(ctx context.Context, name, socket string) error {
	_ = os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	csi.RegisterIdentityServer(server, namedDriver{d, name})
	csi.RegisterControllerServer(server, d)
	context.AfterFunc(ctx, server.Stop)
	return server.Serve(listener)
}

// Set replaces the behaviour of a volume; "" is that of all others.
func (d *Driver) Set(volume string, behaviour DiskBehaviour) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if volume == "" {
		d.fallback = behaviour
		return
	}
	d.behaviour[volume] = &behaviour
}

// Of is how a volume is treated.
func (d *Driver) Of(volume string) DiskBehaviour {
	d.mu.Lock()
	defer d.mu.Unlock()
	return *d.of(volume)
}

func (d *Driver) of(volume string) *DiskBehaviour {
	if own := d.behaviour[volume]; own != nil {
		return own
	}
	return &d.fallback
}

// GetPluginInfo must report a version, or csi-snapshotter exits.
func (d namedDriver) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: d.name, VendorVersion: "1.0.0"}, nil
}

// GetPluginCapabilities says that there is a controller.
func (d *Driver) GetPluginCapabilities(context.Context, *csi.GetPluginCapabilitiesRequest) (*csi.GetPluginCapabilitiesResponse, error) {
	return &csi.GetPluginCapabilitiesResponse{Capabilities: []*csi.PluginCapability{{
		Type: &csi.PluginCapability_Service_{Service: &csi.PluginCapability_Service{
			Type: csi.PluginCapability_Service_CONTROLLER_SERVICE}}}}}, nil
}

// Probe answers at once.
func (d *Driver) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{Ready: wrapperspb.Bool(true)}, nil
}

// ControllerGetCapabilities says that it can snapshot.
func (d *Driver) ControllerGetCapabilities(context.Context, *csi.ControllerGetCapabilitiesRequest) (*csi.ControllerGetCapabilitiesResponse, error) {
	return &csi.ControllerGetCapabilitiesResponse{Capabilities: []*csi.ControllerServiceCapability{{
		Type: &csi.ControllerServiceCapability_Rpc{Rpc: &csi.ControllerServiceCapability_RPC{
			Type: csi.ControllerServiceCapability_RPC_CREATE_DELETE_SNAPSHOT}}}}}, nil
}

// CreateSnapshot cuts the disk once per name, however often it is asked; the sidecar asks again after an error.
func (d *Driver) CreateSnapshot(ctx context.Context, request *csi.CreateSnapshotRequest) (*csi.CreateSnapshotResponse, error) {
	volume := d.claim(request.SourceVolumeId)
	if how := d.Of(volume); how.IsLonghorn() && how.Live.Lies {
		d.backend.Has(request.SourceVolumeId, request.Name, time.Now())
	}
	behaviour, done, err := d.begin(request, volume)
	if done != nil || err != nil {
		return done, err
	}
	if behaviour.Never {
		<-ctx.Done()
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.running, request.Name)
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	time.Sleep(behaviour.Cut)
	uid := strings.TrimPrefix(request.Name, "snapshot-")
	if err := d.captured(uid, request.Parameters[parameterNamespace]+"/"+request.Parameters[parameterName],
		volume); err != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.running, request.Name)
		return nil, status.Error(codes.Internal, err.Error())
	}
	created := d.noted(request, behaviour, uid)
	if behaviour.Silent {
		d.mu.Lock()
		d.silent[request.Name] = true
		d.mu.Unlock()
		<-ctx.Done()
		return nil, status.FromContextError(ctx.Err()).Err()
	}
	snapshot := &csi.Snapshot{SnapshotId: request.Name, SourceVolumeId: request.SourceVolumeId, SizeBytes: 1 << 20,
		CreationTime: timestamppb.New(created), ReadyToUse: behaviour.Ready == 0}
	time.Sleep(behaviour.Reply)
	time.AfterFunc(behaviour.Ready, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		snapshot.ReadyToUse = true
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.running, request.Name)
	d.taken[request.Name] = snapshot
	return &csi.CreateSnapshotResponse{Snapshot: proto.Clone(snapshot).(*csi.Snapshot)}, nil
}

func (d *Driver) begin(request *csi.CreateSnapshotRequest, volume string) (DiskBehaviour, *csi.CreateSnapshotResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if snapshot := d.taken[request.Name]; snapshot != nil {
		return DiskBehaviour{}, &csi.CreateSnapshotResponse{Snapshot: proto.Clone(snapshot).(*csi.Snapshot)}, nil
	}
	if d.running[request.Name] {
		return DiskBehaviour{}, nil, status.Error(codes.Aborted, "a call for this snapshot is running")
	}
	behaviour := d.of(volume)
	if d.silent[request.Name] {
		return DiskBehaviour{Never: true}, nil, nil
	}
	if behaviour.Fails {
		return *behaviour, nil, status.Error(codes.Internal, "failed on demand")
	}
	if behaviour.Errors > 0 {
		behaviour.Errors--
		return *behaviour, nil, status.Error(codes.Unavailable, "interim error on demand")
	}
	d.running[request.Name] = true
	return *behaviour, nil, nil
}

// noted is when the storage says that it was cut. Longhorn's engine notes whole seconds, and shows the snapshot at once.
func (d *Driver) noted(request *csi.CreateSnapshotRequest, behaviour DiskBehaviour, uid string) time.Time {
	created := time.Now()
	if behaviour.In1970 {
		created = time.Unix(0, 0)
	}
	if !behaviour.IsLonghorn() {
		return created
	}
	created = created.Truncate(time.Second)
	d.backend.Has(request.SourceVolumeId, request.Name, created)
	if !behaviour.Silent {
		d.longhorn.Captured(context.Background(), uid, created, behaviour.Style == "longhorn")
	}
	return created
}

// DeleteSnapshot forgets it.
func (d *Driver) DeleteSnapshot(_ context.Context, request *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if snapshot := d.taken[request.SnapshotId]; snapshot != nil {
		d.backend.Lost(snapshot.SourceVolumeId, request.SnapshotId)
	}
	delete(d.taken, request.SnapshotId)
	return &csi.DeleteSnapshotResponse{}, nil
}
