// swift-tools-version:5.9
import PackageDescription

let package = Package(
  name: "SqueezeBert",
  platforms: [.iOS(.v13), .macOS(.v11)],
  products: [
    .library(name: "SqueezeBert", targets: ["SqueezeBert"])
  ],
  targets: [
    .target(name: "SqueezeBert", dependencies: ["CLiteRtLibrary"]),
    .target(name: "CLiteRtLibrary"),
    .executableTarget(name: "predict", dependencies: ["SqueezeBert"]),
    .executableTarget(name: "conformance", dependencies: ["SqueezeBert"]),
  ]
)
