import Glibc

/// What the operating system says about the last failed call, in words.
public func systemErrorText(_ code: Int32 = errno) -> String { String(cString: strerror(code)) }
