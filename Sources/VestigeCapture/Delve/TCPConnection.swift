import Glibc
import VestigeCore

/// A TCP connection that is waited on with a limit, and that a signal can interrupt.
final class TCPConnection {
    enum Failure: Error {
        /// The other side closed it, or the system did; with the reason.
        case dropped(String)
        case timedOut
        /// `isInterrupted` said so.
        case interrupted
    }

    private var descriptor: Int32
    /// Asked whenever waiting is disturbed, and ten times a second.
    var isInterrupted: () -> Bool = { false }

    /// Connects to the first address of the host that answers.
    init(host: String, port: String, timeoutSeconds: Double) throws(Failure) {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, port, &hints, &list)
        guard code == 0 else { throw .dropped(String(cString: gai_strerror(code))) }
        defer { freeaddrinfo(list) }
        var reason = "no address"
        var next = list
        while let address = next {
            next = address.pointee.ai_next
            descriptor = socket(
                address.pointee.ai_family, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            guard descriptor >= 0 else { continue }
            var limit = timeval(tv_sec: Int(timeoutSeconds.rounded(.up)), tv_usec: 0)
            setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            if connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 { return }
            reason = systemErrorText()
            Glibc.close(descriptor)
        }
        descriptor = -1
        throw .dropped(reason)
    }

    deinit { close() }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    func send(_ bytes: [UInt8]) throws(Failure) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count > 0 { sent += count } else if errno != EINTR { throw .dropped(systemErrorText()) }
            if isInterrupted() { throw .interrupted }
        }
    }

    /// Waits for more bytes until `deadline`, and appends them.
    func receive(into buffer: inout [UInt8], until deadline: ContinuousClock.Instant) throws(Failure) {
        while true {
            if isInterrupted() { throw .interrupted }
            let left = deadline - ContinuousClock.now
            guard left > .zero else { throw .timedOut }
            var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let milliseconds = min(
                100, left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000 + 1)
            guard poll(&request, 1, Int32(milliseconds)) > 0 else { continue }
            let chunk = [UInt8](unsafeUninitializedCapacity: 256 << 10) { bytes, count in
                count = max(0, recv(descriptor, bytes.baseAddress, bytes.count, 0))
            }
            guard !chunk.isEmpty else { throw .dropped("closed by the other side") }
            buffer += chunk
            return
        }
    }
}
