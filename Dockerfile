# Umbler Hub in a container: a build stage for the hub, one for the dashboard, and a slim one that runs.
#
#   docker build -t umbler-hub .
#   docker run -e WEBHOOK_SECRET=… -e JWT_SECRET=… -v umbler-hub:/data -p 127.0.0.1:3001:3001 umbler-hub
#
# scripts/image.sh builds it and tries it.

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
COPY src src
COPY static static
# What cargo fetched and built before is kept beside the layers, so a build makes anew only what changed, even after
# Cargo.lock did. Each architecture has a folder of its own. Ours is always built: files keep their times when they are
# copied, so cargo could take an older program for the present one. Tests and benchmarks are not copied, so they are not
# named either. Line numbers of backtraces would make the image five times as large; names of functions stay.
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/build/target,sharing=locked \
    sed -i '/^\[\[\(test\|bench\)\]\]/,/^$/d' Cargo.toml \
    && touch src/lib.rs src/main.rs \
    && export CARGO_TARGET_DIR="/build/target/$(uname -m)" \
    && cargo build --release --locked \
    && strip --strip-debug -o /umbler-hub "$CARGO_TARGET_DIR/release/umbler-hub"

FROM node:22-bookworm-slim AS dashboard
WORKDIR /build/frontend
# The client is a package of its own, linked from the folder beside.
COPY static/client /build/static/client
COPY frontend/package.json frontend/package-lock.json frontend/.npmrc ./
RUN npm ci --no-audit --no-fund
COPY frontend ./
RUN npm run build

FROM debian:bookworm-slim
RUN groupadd --system --gid 10001 hub \
    && useradd --system --uid 10001 --gid hub --home-dir /data --no-create-home --shell /usr/sbin/nologin hub \
    && install -d -o hub -g hub -m 0700 /data
# Whom to trust where the hub is an https client: Umbler's API, the alert webhook, a bucket for backups. The list is Debian's, as
# the build stage has it; the package would bring openssl.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /umbler-hub /usr/local/bin/umbler-hub
COPY --from=dashboard /build/frontend/dist /usr/share/umbler-hub/dashboard

# Reached through the container's network only; without WEBHOOK_SECRET and a JWT key the hub refuses to start on it.
# Huge pages, where the machine gives them unasked, would fill buffers that sessions hardly touch.
ENV HOST=0.0.0.0 PORT=3001 DATABASE_PATH=/data/umbler-hub.db \
    DASHBOARD_DIR=/usr/share/umbler-hub/dashboard MIMALLOC_ALLOW_THP=0
USER hub
WORKDIR /data
VOLUME /data
EXPOSE 3001
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s --retries=3 CMD ["umbler-hub", "health"]
# The hub drains on SIGTERM; no shell stands between.
STOPSIGNAL SIGTERM
ENTRYPOINT ["umbler-hub"]
CMD ["serve"]
