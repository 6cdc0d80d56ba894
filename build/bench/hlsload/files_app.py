"""Playlists and segments as python-hls-stream's web server answers them: FastAPI, one file an answer, CORS.

usage: python files_app.py FOLDER PORT
"""

from __future__ import annotations

import sys

import uvicorn
from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import FileResponse

app = FastAPI()
app.add_middleware(
    CORSMiddleware, allow_origins=["*"], allow_credentials=True, allow_methods=["*"], allow_headers=["*"]
)


@app.get("/{name}")
async def video(name: str) -> FileResponse:
    """A file of the folder, as an attachment."""
    return FileResponse(f"{sys.argv[1]}/{name}", filename=name)


if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), log_level="warning", access_log=False)
