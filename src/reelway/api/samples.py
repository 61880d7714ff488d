"""Code examples for the reference: the same request with curl, the official Python client and the official Node client.

Pure. `$URL` stands for the address of the server, `$KEY` for a key; the page fills in the first.
"""

from reelway.api.operations import Operation

__all__ = ["samples_of"]

_LABELS = {"curl": "Shell", "python": "Python", "javascript": "Node"}

_SAMPLES: dict[str, dict[str, str]] = {
    "createVideo": {
        "curl": """curl $URL/v1/videos \\
  -H "Authorization: Bearer $KEY" \\
  -F model=veo3.1 -F seconds=8 -F size=1280x720 \\
  -F prompt="A copper fox on a tin roof" \\
  -F input_reference=@first.png""",
        "python": """from openai import OpenAI

client = OpenAI(base_url="$URL/v1", api_key="$KEY")
video = client.videos.create_and_poll(
    model="veo3.1",
    prompt="A copper fox crosses a tin roof in the rain",
    seconds="8",
    size="1280x720",
)
client.videos.download_content(video.id).write_to_file("fox.mp4")""",
        "javascript": """import OpenAI from "openai";

const client = new OpenAI({ baseURL: "$URL/v1", apiKey: "$KEY" });
const video = await client.videos.create({
  model: "veo3.1",
  prompt: "A copper fox crosses a tin roof in the rain",
  seconds: "8",
  size: "1280x720",
});
console.log(video.id, video.status);""",
    },
    "getVideo": {
        "curl": """curl "$URL/v1/videos/$ID?wait=60" \\
  -H "Authorization: Bearer $KEY\"""",
        "python": """video = client.videos.retrieve(video_id)
print(video.status, video.progress)""",
        "javascript": """const video = await client.videos.retrieve(videoId);
console.log(video.status, video.progress);""",
    },
    "listVideos": {
        "curl": """curl "$URL/v1/videos?limit=20&status=completed" \\
  -H "Authorization: Bearer $KEY\"""",
        "python": """for video in client.videos.list(limit=20):
    print(video.id, video.status)""",
        "javascript": """for await (const video of client.videos.list({ limit: 20 })) {
  console.log(video.id, video.status);
}""",
    },
    "downloadVideo": {
        "curl": """curl "$URL/v1/videos/$ID/content" \\
  -H "Authorization: Bearer $KEY" -o fox.mp4
curl "$URL/v1/videos/$ID/content?variant=thumbnail" \\
  -H "Authorization: Bearer $KEY" -o fox.webp""",
        "python": """client.videos.download_content(video_id).write_to_file("fox.mp4")
client.videos.download_content(video_id, variant="thumbnail").write_to_file("fox.webp")""",
        "javascript": """const file = await client.videos.downloadContent(videoId);
await fs.promises.writeFile("fox.mp4", Buffer.from(await file.arrayBuffer()));""",
    },
    "followVideo": {
        "curl": """curl -N "$URL/v1/videos/$ID/events" \\
  -H "Authorization: Bearer $KEY\"""",
    },
    "quoteVideo": {
        "curl": """curl $URL/v1/videos/quote \\
  -H "Authorization: Bearer $KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"model": "veo3.1", "prompt": "A copper fox", "seconds": 8}'""",
    },
    "remixVideo": {
        "curl": """curl $URL/v1/videos/$ID/remix \\
  -H "Authorization: Bearer $KEY" \\
  -H "Content-Type: application/json" \\
  -d '{"prompt": "The same, at night"}'""",
        "python": """video = client.videos.remix(video_id, prompt="The same, at night")""",
        "javascript": """const video = await client.videos.remix(videoId, { prompt: "The same, at night" });""",
    },
    "editVideo": {
        "curl": """curl $URL/v1/videos/edits \\
  -H "Authorization: Bearer $KEY" \\
  -F model=gemini-omni -F prompt="Make it snow" -F video=@fox.mp4""",
    },
    "extendVideo": {
        "curl": """curl $URL/v1/videos/extensions \\
  -H "Authorization: Bearer $KEY" \\
  -F prompt="The fox jumps" -F seconds=8 -F "video[id]=$ID\"""",
    },
    "createCharacter": {
        "curl": """curl $URL/v1/videos/characters \\
  -H "Authorization: Bearer $KEY" \\
  -F name=Mira -F "images[]=@front.png" -F "images[]=@side.png"
curl $URL/v1/videos \\
  -H "Authorization: Bearer $KEY" \\
  -F model=viduq3-turbo -F "characters[][id]=$CHARACTER_ID" \\
  -F prompt="@Mira bakes bread and laughs\"""",
        "python": """mira = client.videos.create_character(name="Mira", video=open("mira.mp4", "rb"))
video = client.videos.create_and_poll(
    model="viduq3-turbo",
    prompt="@Mira bakes bread and laughs",
    extra_body={"characters": [{"id": mira.id}]},
)""",
    },
    "deleteVideo": {
        "curl": """curl -X DELETE $URL/v1/videos/$ID \\
  -H "Authorization: Bearer $KEY\"""",
        "python": """client.videos.delete(video_id)""",
        "javascript": """await client.videos.delete(videoId);""",
    },
    "cancelVideo": {
        "curl": """curl -X POST $URL/v1/videos/$ID/cancel \\
  -H "Authorization: Bearer $KEY\"""",
    },
    "listModels": {
        "curl": """curl $URL/v1/models -H "Authorization: Bearer $KEY\"""",
        "python": """print([model.id for model in client.models.list()])""",
        "javascript": """for await (const model of client.models.list()) console.log(model.id);""",
    },
    "getModel": {
        "curl": """curl $URL/v1/models/veo3.1 -H "Authorization: Bearer $KEY\"""",
    },
    "readiness": {"curl": "curl $URL/readyz"},
    "health": {"curl": "curl $URL/healthz"},
}


def samples_of(operation: Operation) -> list[dict[str, str]]:
    """Return the examples of an operation, curl first."""
    return [
        {"lang": language, "label": _LABELS[language], "source": source}
        for language, source in _SAMPLES.get(operation.name, {}).items()
    ]
