# Installs the AI Fabric agent @VERSION@ from the control plane that it joins. What it fetches is run only where it is
# what stood here when the release was made; everything else the agent's own "install" does.
#   'TOKEN' | & ./agent.ps1 -Server https://HOST:8443 -Pin KEY [options of "ai-fabric-agent install"]
# In an elevated PowerShell 5.1 or later. KEY is the SHA-256 of the control plane's public key, base64.
param([string]$Server, [string]$Pin)
$ErrorActionPreference = 'Stop'
$token = $input | Select-Object -First 1
if (-not ($Server -and $Pin -and $token)) { throw "usage: 'TOKEN' | & ./agent.ps1 -Server URL -Pin KEY" }
if (-not [Environment]::Is64BitOperatingSystem) { throw 'this release has no agent for 32-bit Windows' }

$dir = Join-Path $env:TEMP "ai-fabric-$([guid]::NewGuid())"
$null = New-Item -ItemType Directory $dir
Push-Location $dir
try {
  Write-Host "Fetching ai-fabric-agent-windows-x64.zip from $Server"
  # What a program says on standard error is an error to ISE and to remoting, and is not to end this: its exit code tells.
  $ErrorActionPreference = 'Continue'
  # From the pinned control plane alone, past any proxy. An unsigned release has no manifest.sig; the agent judges that.
  foreach ($name in 'manifest.sig', 'manifest.json', 'ai-fabric-agent-windows-x64.zip') {
    foreach ($try in 1..5) {
      # One that cannot start leaves that of the program before.
      $global:LASTEXITCODE = 1
      curl.exe -gfsSk --noproxy '*' --proto '=https' --retry 2 -C - -y 60 -Y 1 --pinnedpubkey "sha256//$Pin" `
        "$Server/install/$name" -o $name
      # How curl ends where a connection is cut, or stands still: what is missing is fetched then.
      if ($LASTEXITCODE -notin 18, 28, 52, 55, 56) { break }
    }
    if ($LASTEXITCODE -ne 0 -and $name -ne 'manifest.sig') { throw "$name could not be fetched" }
  }
  $ErrorActionPreference = 'Stop'
  if ((Get-FileHash 'ai-fabric-agent-windows-x64.zip' -Algorithm SHA256).Hash -ne '@SHA256:ai-fabric-agent-windows-x64.zip@') {
    throw 'ai-fabric-agent-windows-x64.zip is not what was announced: nothing was run'
  }
  Expand-Archive 'ai-fabric-agent-windows-x64.zip' $dir
  $ErrorActionPreference = 'Continue'
  $global:LASTEXITCODE = 1
  $token | & "$dir\ai-fabric-agent.exe" install --server $Server --token-file - --release $dir @args
  if ($LASTEXITCODE -ne 0) { throw "the install ended with exit code $LASTEXITCODE" }
} finally {
  Pop-Location
  # A scanner may hold a file for a moment: that is no failure of the install, and hides none.
  Remove-Item -Recurse -Force -ErrorAction SilentlyContinue $dir
  if (Test-Path $dir) { Write-Host "Another program still holds a file of $dir, which may be removed." }
}
