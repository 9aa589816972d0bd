# Builds the image with a container engine:
#   docker build --tag snapfreeze --build-arg SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)" .
# scripts/image builds it without one.
FROM debian:trixie-slim AS build
WORKDIR /src
COPY scripts/deps scripts/
RUN scripts/deps build image
COPY . .
RUN cmake --preset release -DBUILD_TESTING=OFF && cmake --build --preset release --target snapfreeze
ARG SOURCE_DATE_EPOCH=0
RUN scripts/image-root build/release /image

FROM scratch
COPY --from=build /image /
LABEL org.opencontainers.image.title="snapfreeze" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.description="Consistent VM backups for Harvester and KubeVirt"
USER 65532:65532
ENTRYPOINT ["/usr/bin/snapfreeze"]
