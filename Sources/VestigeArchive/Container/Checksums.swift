import CCrypto
import CXXHash
import VestigeCore

/// XXH64, which finds damage.
package enum XXHash {
    package static func sum(_ bytes: UnsafeRawBufferPointer, seed: UInt64 = 0) -> UInt64 {
        XXH64(bytes.baseAddress, bytes.count, seed)
    }
}

/// SHA-256 of what is passed on in pieces, which proves an entry.
package final class SHA256Sum {
    static let length = 32
    private let context = EVP_MD_CTX_new()!

    package init() { reset() }

    deinit { EVP_MD_CTX_free(context) }

    func reset() { EVP_DigestInit_ex(context, EVP_sha256(), nil) }

    package func update(_ bytes: UnsafeRawBufferPointer) { EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) }

    /// The sum of everything so far; begins anew.
    package func finish() -> [UInt8] {
        var sum = [UInt8](repeating: 0, count: Self.length)
        EVP_DigestFinal_ex(context, &sum, nil)
        reset()
        return sum
    }
}
