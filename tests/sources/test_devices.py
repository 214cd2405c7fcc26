"""What a camera's name means, on machines that are made of folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from perform.sources.devices import Address, Cameras, NoCamera, wishes


@pytest.fixture
def linux(tmp_path: Path) -> Cameras:
    """A machine with a webcam (and its metadata node) and a capture card."""
    sys, dev = tmp_path / "sys", tmp_path / "dev"
    for node, name, index in (
        ("video0", "Webcam C920", 0),
        ("video1", "Webcam C920", 1),
        ("video10", "Cam Link 4K", 0),
    ):
        (sys / node).mkdir(parents=True)
        (sys / node / "name").write_text(name + "\n")
        (sys / node / "index").write_text(f"{index}\n")
    (sys / "video7").mkdir()  # being unplugged: nothing to read in it
    by_id = dev / "v4l" / "by-id"
    by_id.mkdir(parents=True)
    for node in ("video0", "video1", "video10"):
        (dev / node).mkdir()  # stands for a device node: it exists and is no file
    (by_id / "usb-046d_HD_Pro_Webcam_C920_5A1B2C3D-video-index0").symlink_to(dev / "video0")
    (by_id / "usb-046d_HD_Pro_Webcam_C920_5A1B2C3D-video-index1").symlink_to(dev / "video1")
    (by_id / "usb-Elgato_Cam_Link_GONE-video-index0").symlink_to(dev / "video9")
    return Cameras("linux", sys, dev)


def test_linux_by_index_path_name_and_serial(linux: Cameras) -> None:
    dev = str(linux.dev)
    assert linux.find(0) == Address(f"{dev}/video0", "v4l2")
    assert linux.find("10").file == f"{dev}/video10"
    assert linux.find(f"{dev}/video1").file == f"{dev}/video1"
    assert linux.find("cam link").file == f"{dev}/video10"
    assert linux.find("webcam").file.endswith(
        "C920_5A1B2C3D-video-index0"
    )  # the link that follows it from port to port
    assert linux.find("5a1b2c3d").file.endswith("C920_5A1B2C3D-video-index0")


@pytest.mark.parametrize(
    ("device", "why"),
    [
        (3, "video3; there are Webcam C920 .*Cam Link 4K"),
        ("Kinect", "no camera called 'Kinect'; there are Webcam C920"),
        ("GONE", "no camera called 'GONE'"),
    ],
)
def test_linux_says_what_there_is_instead(linux: Cameras, device: int | str, why: str) -> None:
    with pytest.raises(NoCamera, match=why):
        linux.find(device)


def test_a_film_is_no_camera(linux: Cameras, tmp_path: Path) -> None:
    (tmp_path / "clip.mp4").touch()
    with pytest.raises(NoCamera, match='type = "video"'):
        linux.find(str(tmp_path / "clip.mp4"))


def test_a_machine_without_cameras(tmp_path: Path) -> None:
    with pytest.raises(NoCamera, match="this machine has no camera"):
        Cameras("linux", tmp_path / "sys", tmp_path / "dev").find(0)
    with pytest.raises(NoCamera, match="no camera '0'; this machine has no camera, or it may not be used"):
        Cameras("darwin", listed=lambda format: []).find(0)


def test_mac_and_windows_by_index_and_name() -> None:
    def listed(format: str) -> list[tuple[str, str]]:
        return {
            "avfoundation": [("0", "FaceTime HD Camera"), ("1", "Capture screen 0")],
            "dshow": [("@device_pnp_1", "Integrated Camera"), ("@device_pnp_2", "Logi BRIO")],
        }[format]

    assert Cameras("darwin", listed=listed).find("facetime") == Address("0", "avfoundation")
    assert Cameras("win32", listed=listed).find("brio") == Address("video=@device_pnp_2", "dshow")
    assert Cameras("win32", listed=listed).find(0) == Address("video=@device_pnp_1", "dshow")
    with pytest.raises(NoCamera, match="there are 0: Integrated Camera, 1: Logi BRIO"):
        Cameras("win32", listed=listed).find(5)


def test_urls_and_lavfi() -> None:
    assert Cameras().find("lavfi:testsrc2") == Address("testsrc2", "lavfi")
    http = Cameras().find("http://10.0.0.5/cam.mjpg")
    assert http.remote
    assert "timeout" not in http.options
    rtsp = Cameras().find("rtsp://10.0.0.5/live")
    assert rtsp.options["rtsp_flags"] == "prefer_tcp"


def test_wishes_in_each_systems_words() -> None:
    v4l2, dshow, mac = Address("/dev/video0", "v4l2"), Address("video=x", "dshow"), Address("0", "avfoundation")
    assert wishes(v4l2, (1280, 720), 30.0, "mjpg") == {
        "video_size": "1280x720",
        "framerate": "30",
        "input_format": "mjpeg",
    }
    assert wishes(dshow, None, 59.94, "mjpeg") == {"framerate": "59.94", "vcodec": "mjpeg"}
    assert wishes(dshow, None, 0.0, "yuyv422") == {"pixel_format": "yuyv422"}
    assert wishes(mac, None, 0.0, "") == {"framerate": "30"}
    assert wishes(Cameras().find("http://x/y"), (640, 480), 30.0, "mjpeg") == {}
