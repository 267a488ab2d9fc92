// A library module for an Android app. Clone this repository beside the app, and add to its
// settings.gradle.kts:
//
//     include(":squeezebert")
//     project(":squeezebert").projectDir = file("../tf-squeezebert/clients/kotlin")
//
// and to the app's dependencies `implementation(project(":squeezebert"))`.

plugins {
    id("com.android.library") // of Android's Gradle plugin 9, which compiles Kotlin itself
}

android {
    namespace = "tfsqueezebert"
    compileSdk = 36

    defaultConfig {
        minSdk = 24
    }

    sourceSets {
        getByName("main") {
            manifest.srcFile("android/AndroidManifest.xml")
            kotlin.directories += listOf("core", "android")
        }
    }
}

dependencies {
    api("com.google.ai.edge.litert:litert:2.2.0")
}
