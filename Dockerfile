# Umbler Hub in a container: a build stage for the hub, with the dependencies in a layer of their own, one for the
# dashboard, and a slim one that runs.
#
#   docker build -t umbler-hub .
#   docker run -e WEBHOOK_SECRET=… -e JWT_SECRET=… -v umbler-hub:/data -p 127.0.0.1:3001:3001 umbler-hub

FROM rust:1.95-slim-bookworm AS build
WORKDIR /build

# What changes seldom comes first: with an empty program in the place of ours, this layer builds the dependencies
# alone, and is kept until Cargo.toml or Cargo.lock change. Tests and benchmarks are not copied, so they are not named
# either. What came of the empty program is thrown away, or cargo would take it for ours: files keep their times when
# they are copied, and ours may be the older ones.
COPY Cargo.toml Cargo.lock ./
COPY .cargo .cargo
RUN sed -i '/^\[\[\(test\|bench\)\]\]/,/^$/d' Cargo.toml \
    && mkdir src && touch src/lib.rs && echo 'fn main() {}' >src/main.rs \
    && cargo build --release --locked \
    && cargo clean --release --locked --package umbler-hub

COPY src src
COPY static static
# The middle command fails if the empty program is still there. Line numbers of backtraces would make the image five
# times as large; names of functions stay.
RUN cargo build --release --locked \
    && target/release/umbler-hub --version | grep -q umbler-hub \
    && strip --strip-debug target/release/umbler-hub

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
COPY --from=build /build/target/release/umbler-hub /usr/local/bin/umbler-hub
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
