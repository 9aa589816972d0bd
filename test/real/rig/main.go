// Command rig stands in for KubeVirt, Harvester and the storage beside a real control plane: an aggregated freeze API, a
// CSI driver, and Harvester's backup flow. It follows their documented and measured behaviour, and shares nothing with
// snapfreeze.
package main

import (
	"context"
	"flag"
	"log"
	"net/http"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "admin's kubeconfig")
	pki := flag.String("pki", "", "folder with virt-api.crt, virt-api.key and front-proxy-ca.crt")
	api := flag.String("virt-api", "", "loopback address of the aggregated API")
	control := flag.String("control", "", "loopback address at which a runner tells what happens, by HTTPS")
	socket := flag.String("csi", "", "path of the CSI driver's socket")
	longhornSocket := flag.String("longhorn-csi", "", "path of the socket of Longhorn's CSI driver")
	longhornAPI := flag.String("longhorn-api", "", "loopback address of Longhorn's own REST API, plain HTTP")
	balance := flag.String("balance", "", "ADDRESS=BACKEND,BACKEND: stands in for the webhook's Service")
	flag.Parse()
	if address, backends, ok := strings.Cut(*balance, "="); ok {
		go func() { log.Fatal(Balance(address, strings.Split(backends, ","))) }()
	}
	flag.VisitAll(func(f *flag.Flag) {
		if f.Value.String() == "" {
			log.Fatalf("--%s is missing: %s", f.Name, f.Usage)
		}
	})
	if err := run(*kubeconfig, *pki, *api, *control, *socket, *longhornSocket, *longhornAPI); err != nil {
		log.Fatal(err)
	}
}

func run(kubeconfig, pki, api, control, socket, longhornSocket, longhornAPI string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	admin, _, err := NewKube(kubeconfig, "")
	if err != nil {
		return err
	}
	asHarvester, config, err := NewKube(kubeconfig, harvesterAccount)
	if err != nil {
		return err
	}
	config.GroupVersion = &schema.GroupVersion{}
	config.APIPath = "/apis"
	config.NegotiatedSerializer = clientgoscheme.Codecs.WithoutConversion()
	calls, err := rest.RESTClientFor(config)
	if err != nil {
		return err
	}

	truth := NewTruth()
	machines := &Machines{kube: admin, truth: truth, guests: map[string]*Guest{}, all: map[string]MachineOptions{}, volumes: map[string]string{}}
	driver := NewDriver(truth, DiskBehaviour{Cut: 50 * time.Millisecond}, machines.ClaimOf, func(_, snapshot, volume string) error {
		if err := machines.Cut(volume); err != nil {
			return err
		}
		truth.Note("cut", snapshot, machineOf(volume))
		return nil
	})
	backend := NewBackend(truth, machines.ClaimOf, func(claim string) LiveBehaviour { return driver.Of(claim).Live })
	driver.longhorn, driver.backend, machines.storage = &Longhorn{kube: admin}, backend, driver.Of
	harvester := NewHarvester(asHarvester, calls, truth)

	failed := make(chan error, 5)
	go func() { failed <- driver.Serve(ctx, driverName, socket) }()
	go func() { failed <- driver.Serve(ctx, longhornDriverName, longhornSocket) }()
	longhorn := &http.Server{Addr: longhornAPI, ReadHeaderTimeout: 5 * time.Second, Handler: backend}
	go func() { failed <- longhorn.ListenAndServe() }()
	go func() {
		failed <- (&VirtAPI{guest: machines.Find}).ServeTLS(api, pki+"/virt-api.crt", pki+"/virt-api.key", pki+"/front-proxy-ca.crt")
	}()
	go harvester.Run(ctx)
	go machines.Poll(ctx)
	go noteReports(ctx, admin, truth)
	go machines.FollowDeletions(ctx)
	go (&Kubelet{kube: admin, truth: truth, holds: map[string]bool{}}).Run(ctx)
	server := &http.Server{Addr: control, ReadHeaderTimeout: 5 * time.Second,
		Handler: (&Control{truth: truth, machines: machines, driver: driver, backend: backend, harvester: harvester, kube: admin}).Routes()}
	context.AfterFunc(ctx, func() { _ = server.Close(); _ = longhorn.Close() })
	go func() { failed <- server.ListenAndServeTLS(pki+"/virt-api.crt", pki+"/virt-api.key") }()

	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// noteReports notes when each VolumeSnapshot itself says that it is cut: what everybody else waits for.
func noteReports(ctx context.Context, kube *Kube, truth *Truth) {
	noted := map[types.UID]bool{}
	kube.Follow(ctx, snapshots, func(snapshot *unstructured.Unstructured) {
		_, cut, _ := unstructured.NestedString(snapshot.Object, "status", "creationTime")
		if cut && !noted[snapshot.GetUID()] {
			noted[snapshot.GetUID()] = true
			truth.Note("reported", snapshot.GetNamespace()+"/"+snapshot.GetName(), "")
		}
	})
}
