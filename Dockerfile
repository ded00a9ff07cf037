# berth in an image of its own: one static binary, root certificates, a user
# that is not root. Build with `make image`.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=unknown
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=${VERSION}" -o /out/berth ./cmd/berth \
    && mkdir -p /out/data /out/etc/ssl/certs /out/tmp \
    && cp /etc/ssl/certs/ca-certificates.crt /out/etc/ssl/certs/ \
    && cp config.yaml /out/config.yaml \
    && printf 'berth:x:65532:65532::/:/none\n' > /out/etc/passwd \
    && printf 'berth:x:65532:\n' > /out/etc/group \
    && chown -R 65532:65532 /out/data \
    && chmod 0700 /out/data && chmod 1777 /out/tmp

FROM scratch
COPY --from=build /out/ /
USER 65532:65532
EXPOSE 5000
VOLUME /data
ENTRYPOINT ["/berth"]
CMD ["serve", "--config", "/config.yaml"]
