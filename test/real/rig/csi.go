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
	driverName = "csi.rig.snapfreeze"
	// What csi-snapshotter adds with --extra-create-metadata.
	parameterName      = "csi.storage.k8s.io/volumesnapshot/name"
	parameterNamespace = "csi.storage.k8s.io/volumesnapshot/namespace"
)

// DiskBehaviour is how the storage treats one volume; volume handles are "namespace/claim".
type DiskBehaviour struct {
	Cut    time.Duration // from the call to the capture
	Reply  time.Duration // from the capture to the driver's answer: Longhorn polls, up to 7 s
	Ready  time.Duration // from then until it is ready to use
	Errors int           // interim errors before it works
	Fails  bool          // it says no, again and again
	Never  bool          // it never answers
	In1970 bool          // the storage's clock says so
}

// Driver is a CSI driver that snapshots, and does nothing else.
type Driver struct {
	csi.UnimplementedIdentityServer
	csi.UnimplementedControllerServer
	truth *Truth
	// captured is called at the instant of the cut, with what the sidecar says of the snapshot. It may fail.
	captured func(uid, snapshot, volume string) error

	mu        sync.Mutex
	fallback  DiskBehaviour
	behaviour map[string]*DiskBehaviour
	taken     map[string]*csi.Snapshot // by name: CreateSnapshot is idempotent
	running   map[string]bool
}

// NewDriver cuts every disk after `cut`, unless told otherwise.
func NewDriver(truth *Truth, fallback DiskBehaviour, captured func(uid, snapshot, volume string) error) *Driver {
	return &Driver{truth: truth, captured: captured, fallback: fallback, behaviour: map[string]*DiskBehaviour{},
		taken: map[string]*csi.Snapshot{}, running: map[string]bool{}}
}

// Serve listens on a Unix socket until the context ends.
func (d *Driver) Serve(ctx context.Context, socket string) error {
	_ = os.Remove(socket)
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	csi.RegisterIdentityServer(server, d)
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

// GetPluginInfo must report a version, or csi-snapshotter exits.
func (d *Driver) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: driverName, VendorVersion: "1.0.0"}, nil
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
	behaviour, done, err := d.begin(request)
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
		request.SourceVolumeId); err != nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.running, request.Name)
		return nil, status.Error(codes.Internal, err.Error())
	}
	snapshot := &csi.Snapshot{SnapshotId: request.Name, SourceVolumeId: request.SourceVolumeId, SizeBytes: 1 << 20,
		CreationTime: timestamppb.Now(), ReadyToUse: behaviour.Ready == 0}
	if behaviour.In1970 {
		snapshot.CreationTime = &timestamppb.Timestamp{}
	}
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

func (d *Driver) begin(request *csi.CreateSnapshotRequest) (DiskBehaviour, *csi.CreateSnapshotResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if snapshot := d.taken[request.Name]; snapshot != nil {
		return DiskBehaviour{}, &csi.CreateSnapshotResponse{Snapshot: proto.Clone(snapshot).(*csi.Snapshot)}, nil
	}
	if d.running[request.Name] {
		return DiskBehaviour{}, nil, status.Error(codes.Aborted, "a call for this snapshot is running")
	}
	behaviour := &d.fallback
	if own := d.behaviour[request.SourceVolumeId]; own != nil {
		behaviour = own
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

// DeleteSnapshot forgets it.
func (d *Driver) DeleteSnapshot(_ context.Context, request *csi.DeleteSnapshotRequest) (*csi.DeleteSnapshotResponse, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.taken, request.SnapshotId)
	return &csi.DeleteSnapshotResponse{}, nil
}
