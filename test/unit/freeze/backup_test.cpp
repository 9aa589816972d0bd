#include "freeze/backup.h"

#include "freeze/names.h"
#include "test/support/catch.h"
#include "test/unit/freeze/views.h"

using namespace snapfreeze;
using freeze::Claim;
using freeze::Hold;

namespace {

Claim claim_of(std::string_view text) {
  const auto claim = freeze::claim_of(kube::SnapshotView::from(test::json(text)));
  REQUIRE(claim.ok());
  return *claim;
}

std::string owned(std::string_view api_version, std::string_view kind, bool controller = true) {
  return "{'metadata':{'name':'s','namespace':'ns','labels':{'snapfreeze.harvesterhci.io/backup':'nightly'},"
         "'ownerReferences':[{'apiVersion':'" +
         std::string(api_version) + "','kind':'" + std::string(kind) +
         "','name':'b','uid':'u-b','controller':" + (controller ? "true" : "false") +
         "}]},'spec':{'source':{'persistentVolumeClaimName':'d'}}}";
}

std::string labelled(std::string_view annotations) {
  return "{'metadata':{'name':'s','namespace':'ns','labels':{'snapfreeze.harvesterhci.io/backup':'nightly'},"
         "'annotations':{" +
         std::string(annotations) + "}},'spec':{'source':{'persistentVolumeClaimName':'d'}}}";
}

kube::BackupView backup(std::string_view status) {
  return kube::BackupView::from(
      test::json("{'metadata':{'name':'b','uid':'u-b'},'status':" + std::string(status) + "}"));
}

const Hold kHold{Hold::Kind::kHarvester, "b", "u-b", 0};

}  // namespace

TEST_CASE("a disk of a real Harvester backup is claimed for that backup") {
  const auto claim = freeze::claim_of(test::captured_snapshot("harvester-default-disk-0.json"));
  REQUIRE(claim.ok());
  CHECK(claim->kind == Claim::Kind::kHarvester);
  CHECK(claim->hold == Hold{Hold::Kind::kHarvester, "ba1", "f98cb5e3-ac72-4e08-a88d-9180b61936ac", 0});
}

TEST_CASE("a snapshot that names its owner and blocks its deletion is claimed likewise") {
  const auto claim = freeze::claim_of(test::captured_snapshot("create-with-owner.json"));
  REQUIRE(claim.ok());
  CHECK(claim->kind == Claim::Kind::kHarvester);
  CHECK(claim->hold.name == "bk-vg5");
}

TEST_CASE("a Harvester backup is recognised in any version of its group") {
  CHECK(claim_of(owned("harvesterhci.io/v1", "VirtualMachineBackup")).kind == Claim::Kind::kHarvester);
}

TEST_CASE("the owner goes before the label") {
  CHECK(claim_of(owned("harvesterhci.io/v1beta1", "VirtualMachineBackup")).kind == Claim::Kind::kHarvester);
}

TEST_CASE("an owner that does not control, or is KubeVirt's of the same name, is no Harvester backup") {
  CHECK(claim_of(owned("harvesterhci.io/v1beta1", "VirtualMachineBackup", false)).kind == Claim::Kind::kLabel);
  CHECK(claim_of(owned("backup.kubevirt.io/v1alpha1", "VirtualMachineBackup")).kind == Claim::Kind::kLabel);
  CHECK(claim_of(owned("evil.harvesterhci.io/v1", "VirtualMachineBackup")).kind == Claim::Kind::kLabel);
}

TEST_CASE("snapshots of those who freeze for themselves pass through, labelled or not") {
  const auto [api_version, kind] = GENERATE(table<const char*, const char*>({
      {"snapshot.kubevirt.io/v1beta1", "VirtualMachineSnapshotContent"},
      {"groupsnapshot.storage.k8s.io/v1beta1", "VolumeGroupSnapshot"},
      {"cdi.kubevirt.io/v1beta1", "DataVolume"},
  }));
  CAPTURE(kind);
  // external-snapshotter's group members have an owner that does not control.
  const bool controller = GENERATE(true, false);
  CHECK(claim_of(owned(api_version, kind, controller)).kind == Claim::Kind::kNotOurs);
}

TEST_CASE("an import of an existing snapshot passes through, whoever owns it") {
  const auto claim = claim_of(
      "{'metadata':{'name':'s','ownerReferences':[{'apiVersion':'harvesterhci.io/v1beta1','kind':"
      "'VirtualMachineBackup','name':'b','uid':'u','controller':true}]},"
      "'spec':{'source':{'volumeSnapshotContentName':'c'}}}");
  CHECK(claim.kind == Claim::Kind::kNotOurs);
}

TEST_CASE("a snapshot without owner and label passes through") {
  CHECK(claim_of("{'metadata':{'name':'s'},'spec':{'source':{'persistentVolumeClaimName':'d'}}}").kind ==
        Claim::Kind::kNotOurs);
  CHECK(claim_of("{}").kind == Claim::Kind::kNotOurs);
}

TEST_CASE("a labelled snapshot may name its VM and how many there will be") {
  const auto claim =
      claim_of(labelled("'snapfreeze.harvesterhci.io/vm':'db','snapfreeze.harvesterhci.io/members':'3'"));
  CHECK(claim.kind == Claim::Kind::kLabel);
  CHECK(claim.hold == Hold{Hold::Kind::kLabel, "nightly", "", 3});
  CHECK(claim.vm == "db");
}

TEST_CASE("a labelled snapshot need name neither") {
  const auto claim = claim_of(labelled(""));
  CHECK(claim.hold.members == 0);
  CHECK(claim.vm.empty());
}

TEST_CASE("a count of members that is none is refused by name") {
  const auto* members = GENERATE("0", "-1", "1001", "3 ", "three", "1.5", "99999999999999999999");
  CAPTURE(members);
  const auto claim = freeze::claim_of(kube::SnapshotView::from(
      test::json(labelled("'snapfreeze.harvesterhci.io/members':'" + std::string(members) + "'"))));
  REQUIRE_FALSE(claim.ok());
  CHECK(claim.error().code == Code::kMalformed);
  CHECK(claim.error().message.find("snapfreeze.harvesterhci.io/members") != std::string::npos);
}

TEST_CASE("a member of an unfinished backup counts") {
  CHECK_FALSE(refuse_claim(kHold, "b-disk-1", backup("{'volumeBackups':[{'name':'b-disk-0'},{'name':'b-disk-1'}]}")));
}

TEST_CASE("a copied owner reference does not count") {
  const Hold copied{Hold::Kind::kHarvester, "b", "another", 0};
  CHECK(refuse_claim(copied, "b-disk-0", backup("{'volumeBackups':[{'name':'b-disk-0'}]}")) ==
        freeze::reason::kUnknownBackup);
  const Hold nameless{Hold::Kind::kHarvester, "b", "", 0};
  CHECK(refuse_claim(nameless, "b-disk-0", kube::BackupView{}) == freeze::reason::kUnknownBackup);
}

TEST_CASE("nothing is added to a finished backup, but to one in error, which Harvester tries again") {
  const auto done = backup("{'readyToUse':true,'volumeBackups':[{'name':'b-disk-0'}]}");
  CHECK(refuse_claim(kHold, "b-disk-0", done) == freeze::reason::kBackupComplete);
  const auto error = backup("{'readyToUse':false,'error':{'message':'x'},'volumeBackups':[{'name':'b-disk-0'}]}");
  CHECK_FALSE(refuse_claim(kHold, "b-disk-0", error));
}

TEST_CASE("a snapshot that the backup does not list, or without a name, does not count") {
  const auto listed = backup("{'volumeBackups':[{'name':'b-disk-0'}]}");
  CHECK(refuse_claim(kHold, "other", listed) == freeze::reason::kNotAMember);
  CHECK(refuse_claim(kHold, "", listed) == freeze::reason::kNotAMember);
  CHECK(refuse_claim(kHold, "b-disk-0", backup("{}")) == freeze::reason::kNotAMember);
}
