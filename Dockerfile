# Builds the image with a container engine (for amd64 and arm64 at once, with the chart beside it: scripts/release):
#   version=$(scripts/version) registry=registry.example.org
#   docker build --tag "$registry/snapfreeze:$version" --build-arg VERSION="$version" --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" .
#   docker push "$registry/snapfreeze:$version"
#   helm install snapfreeze charts/snapfreeze --namespace snapfreeze-system --create-namespace \
#     --set image.registry="$registry" --set image.tag="$version"
FROM debian:trixie-slim AS build
WORKDIR /src
COPY scripts/deps scripts/
RUN scripts/deps build image
COPY . .
ARG VERSION
RUN test -n "$VERSION" || { echo 'say which version this is: --build-arg VERSION="$(scripts/version)"' >&2; exit 1; }
ENV SNAPFREEZE_VERSION=$VERSION
RUN cmake --preset release -DBUILD_TESTING=OFF && cmake --build --preset release --target snapfreeze
ARG SOURCE_DATE_EPOCH=0
RUN scripts/image-root build/release /image

FROM scratch
ARG VERSION
COPY --from=build /image /
LABEL org.opencontainers.image.title="snapfreeze" \
      org.opencontainers.image.version="$VERSION" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.description="Consistent VM backups for Harvester and KubeVirt"
# For `kubectl exec ... -- snapfreeze`, whatever the runtime would take.
ENV PATH=/usr/bin
USER 65532:65532
ENTRYPOINT ["/usr/bin/snapfreeze"]
