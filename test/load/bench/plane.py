"""A real control plane that test/real/plane/up.sh has started, in the place of the sandbox. Beside it runs the rig that plays
KubeVirt, Harvester and the storage."""
import json

from cluster import Client, Sandbox

REGISTRATIONS = "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations"


class Plane(Sandbox):
    def __enter__(self):
        with open(self.file("port"), encoding="utf-8") as file:
            self._port = int(file.read())
        self.api = self.new_client()
        self._rig = self.client_of(self._port + 6)
        return self

    def new_client(self):
        return self.client_of(self._port)

    def client_of(self, port):
        """The admin's, of a server whose certificate is the plane's own."""
        return Client(port, self.file("pki/ca.crt"), certificate=(self.file("pki/admin.crt"), self.file("pki/admin.key")))

    def control(self, method, path, body=None):
        return self._rig.call(method, "/sandbox/" + path, body)

    def register(self, client_config, match_conditions=None):
        """The chart's registration, for the webhook that `client_config` leads to. It replaces any other."""
        with open(self.file("registration.json"), encoding="utf-8") as file:
            registration = json.load(file)
        webhook = registration["webhooks"][0]
        webhook["clientConfig"] = client_config
        if match_conditions:
            webhook["matchConditions"] = match_conditions
        self.unregister()
        self.api.call("POST", REGISTRATIONS, registration)

    def unregister(self):
        self.api.call("DELETE", REGISTRATIONS)
